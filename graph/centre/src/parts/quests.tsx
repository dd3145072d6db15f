// Quests, each with how far it is; those that are ready are claimed.
import { ClaimQuestDocument, QuestsDocument, type QuestsQuery } from "../../generated/graphql";
import { ActButton, Bar, Part, useAct, useAsked, useCentre, Waiting } from "../centre";

type Quest = NonNullable<NonNullable<QuestsQuery["viewer"]>["member"]>["quests"][number];

export function Quests() {
  const { words } = useCentre().reading;
  const asked = useAsked(QuestsDocument, {});
  if (asked.state !== "there") return <Waiting name="quests" title={words.quests.heading} asked={asked} />;
  const quests = (asked.data.viewer?.member?.quests ?? []).filter(({ status }) => status !== "OVER");
  if (quests.length === 0) return null;
  return (
    <Part name="quests" title={words.quests.heading}>
      <ul className="rows">{quests.map((quest) => <QuestRow key={quest.name} quest={quest} />)}</ul>
    </Part>
  );
}

function QuestRow({ quest }: { quest: Quest }) {
  const { reading, member } = useCentre();
  const { words } = reading;
  const claiming = useAct(ClaimQuestDocument);
  const { current, required, ratio } = quest.progress;
  const text = words.tier.of(reading.number(current), reading.number(required));
  const when = quest.status === "DONE" && quest.resetsAt ? words.quests.again(reading.day(quest.resetsAt)) : quest.closesAt ? words.quests.until(reading.day(quest.closesAt)) : "";
  return (
    <li className={`quest-${quest.status.toLowerCase()}`}>
      <div className="line">
        <span>
          <strong>{quest.title}</strong> <span className="faint">{words.quests.periods[quest.period] ?? quest.period}</span>
        </span>
        <span className="gain">{reading.change(quest.points, "points")}</span>
      </div>
      <Bar ratio={Number(ratio)} label={quest.title} text={text} />
      <div className="line faint">
        <span>{text}</span>
        <span>{[words.quests[quest.status], when].filter(Boolean).join(" · ")}</span>
      </div>
      {quest.status === "READY" && (
        <ActButton act={claiming} scope="EARNING" label={`${words.quests.claim}: ${quest.title}`} onPress={() => claiming.run({ member: { id: member.id }, quest: quest.name })}>
          {words.quests.claim}
        </ActButton>
      )}
    </li>
  );
}
