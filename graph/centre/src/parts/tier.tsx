// The tier, how far the next one is, and what keeps it. All of it is in the answer that the page follows, so it moves by itself.
import type { CriterionFragment } from "../../generated/graphql";
import { Bar, Part, useCentre } from "../centre";

export function TierPart() {
  const { standing, programme, reading } = useCentre();
  const { words } = reading;
  const { tier, progress, keeping } = standing;
  if (!tier) return null;
  const next = progress?.nextTier;
  const reached = programme.tiers.findIndex(({ code }) => code === tier.code);
  return (
    <Part name="tier" title={words.tier.heading}>
      <p className="balance">
        <span className="figure">{tier.name}</span> <span className="faint">{words.tier.since(reading.day(standing.tierSince))}</span>
      </p>
      <div className="standing">
        <ol className="ladder" aria-label={words.tier.ladder}>
          {programme.tiers.map(({ code, name }, rank) => (
            <li key={code} className={rank <= reached ? "reached" : ""} aria-current={code === tier.code ? "step" : undefined}>
              {name}
            </li>
          ))}
        </ol>
        <div className="way">
          {next && progress ? (
            <>
              <h3>{words.tier.next(next.name)}</h3>
              <Bar ratio={progress.ratio} label={words.tier.next(next.name)} text={reading.percent(progress.ratio)} />
              {progress.criteria.length > 1 && <p className="faint">{progress.mode === "ANY" ? words.tier.any : words.tier.all}</p>}
              <Criteria criteria={progress.criteria} />
              {progress.brings.length > 0 && (
                <p className="brings">
                  <span className="faint">{words.tier.brings(next.name)}:</span> {reading.list(progress.brings.map(({ name }) => name))}
                </p>
              )}
            </>
          ) : (
            <p className="top-reached">{words.tier.top}</p>
          )}
          {keeping && (
            <>
              <h3>{words.tier.keeping}</h3>
              <p>
                {keeping.state === "LOCKED"
                  ? words.tier.LOCKED(reading.day(keeping.lockedUntil))
                  : words.tier[keeping.state](reading.day(keeping.state === "GRACE" ? keeping.lostAt : keeping.judgedAt), keeping.projectedTier.name)}
              </p>
              {keeping.state !== "SAFE" && <Criteria criteria={keeping.criteria} />}
            </>
          )}
        </div>
      </div>
    </Part>
  );
}

function Criteria({ criteria }: { criteria: CriterionFragment[] }) {
  const { reading } = useCentre();
  const { words } = reading;
  return (
    <ul className="criteria">
      {criteria.map((criterion) => {
        const written = criterion.fact === "spend" ? reading.money : reading.number;
        const called = words.facts[criterion.fact] ?? criterion.description;
        const { window, current, required, remaining, ratio } = criterion;
        const within = window?.months ? words.tier.months(window.months) : window?.days ? words.tier.days(window.days) : "";
        const text = words.tier.of(written(current), written(required));
        return (
          <li key={criterion.fact + within}>
            <div className="line">
              <span>
                {called} <span className="faint">{within}</span>
              </span>
              <span>
                {text} · <strong>{ratio >= 1 ? words.tier.met : words.tier.left(written(remaining))}</strong>
              </span>
            </div>
            <Bar ratio={ratio} label={called} text={text} />
          </li>
        );
      })}
    </ul>
  );
}
