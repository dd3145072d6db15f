// Badges: those that the member has, and how far the next level of each is.
import { BadgesDocument } from "../../generated/graphql";
import { Bar, Part, useAsked, useCentre, Waiting } from "../centre";

export function Badges() {
  const { reading } = useCentre();
  const { words } = reading;
  const asked = useAsked(BadgesDocument, {});
  if (asked.state !== "there") return <Waiting name="badges" title={words.badges.heading} asked={asked} />;
  const badges = asked.data.viewer?.member?.badges ?? [];
  if (badges.length === 0) return null;
  return (
    <Part name="badges" title={words.badges.heading}>
      <ul className="medals">
        {badges.map((badge) => {
          const { progress } = badge;
          const written = badge.counts.includes("spend") ? reading.money : reading.number;
          const next = badge.levels.find(({ level }) => level === progress?.level);
          const brings = next ? reading.list(next.pack.map(({ amount, unit }) => reading.amount(amount, unit))) : "";
          return (
            <li key={badge.name} className={badge.level > 0 ? "had" : ""}>
              <svg viewBox="0 0 48 48" aria-hidden="true">
                <circle cx="24" cy="20" r="14" />
                <path d="M16 31 12 46l12-6 12 6-4-15" />
                {badge.level > 0 && <path className="tick" d="m17 20 5 5 9-10" />}
              </svg>
              <div>
                <strong>{badge.title}</strong>
                {badge.levels.length > 1 && badge.level > 0 && <p className="faint">{words.badges.level(badge.level, badge.levels.length)}</p>}
                {badge.unlockedAt && <p className="faint">{words.badges.has(reading.day(badge.unlockedAt))}</p>}
                {progress && (
                  <>
                    <Bar ratio={Number(progress.ratio)} label={badge.title} text={words.tier.of(written(progress.current), written(progress.required))} />
                    <p className="faint">
                      {words.tier.of(written(progress.current), written(progress.required))}
                      {brings && ` · ${words.badges.brings(brings)}`}
                    </p>
                  </>
                )}
              </div>
            </li>
          );
        })}
      </ul>
    </Part>
  );
}
