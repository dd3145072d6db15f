// The store: what there is at the member's own prices, why something can't be had, and what was redeemed.
import { useState } from "preact/hooks";
import { RedeemRewardDocument, RewardsDocument, type RewardsQuery } from "../../generated/graphql";
import { ActButton, focus, Part, pressed, Said, useAct, useAsked, useCentre, useStopped, Waiting } from "../centre";

type Reward = NonNullable<RewardsQuery["rewards"]>[number];

export function Rewards() {
  const { reading, member } = useCentre();
  const { words } = reading;
  const asked = useAsked(RewardsDocument, { member: { id: member.id }, locale: reading.locale });
  if (asked.state !== "there") return <Waiting name="rewards" title={words.rewards.heading} asked={asked} />;
  const rewards = asked.data.rewards ?? [];
  const orders = asked.data.viewer?.member?.rewardOrders.nodes ?? [];
  if (rewards.length + orders.length === 0) return null;
  return (
    <Part name="rewards" title={words.rewards.heading}>
      <ul className="cards">{rewards.map((reward) => <RewardCard key={reward.id} reward={reward} />)}</ul>
      {orders.length > 0 && (
        <>
          <h3>{words.rewards.mine}</h3>
          <ul className="rows">
            {orders.map((order) => (
              <li key={order.id} className="line">
                <span>
                  <strong>{order.name}</strong> {order.quantity > 1 && `× ${order.quantity}`}{" "}
                  <span className="faint">{reading.day(order.requestedAt)}</span>
                  {order.codes.map((code) => <code key={code}>{words.rewards.code} {code}</code>)}
                </span>
                <span className="faint">{words.rewards.status[order.status]}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Part>
  );
}

function RewardCard({ reward }: { reward: Reward }) {
  const { reading, member } = useCentre();
  const { words } = reading;
  const redeeming = useAct(RedeemRewardDocument);
  // The focus goes to the question, and back to the button when it is answered.
  const [question, setQuestion] = useState<"new" | "asked" | "answered">("new");
  const stopped = useStopped("SPENDING");
  const price = reading.amount(reward.price, "points");
  const few = [
    reward.stockLeft != null && reward.stockLeft > 0 && words.rewards.stock(reward.stockLeft),
    reward.limitLeft != null && reward.limitLeft > 0 && words.rewards.limit(reward.limitLeft),
  ].filter(Boolean);
  // What stands in the way is told before anybody presses; the freeze of a member is told once for all.
  const refusal = reward.refusal && !stopped ? (reading.refused(reward.refusal) ?? reward.refusal.message) : null;
  const redeem = async () => {
    setQuestion("answered");
    await redeeming.run({ member: { id: member.id }, reward: reward.id, quantity: 1, points: reward.price });
  };
  return (
    <li className={reward.refusal ? "out" : ""}>
      <span className="faint">{words.rewards.kinds[reward.kind]}</span>
      <strong>{reward.name}</strong>
      <span className="price">
        {price} {reward.listPrice !== reward.price && <span className="faint">{words.rewards.instead(reading.number(reward.listPrice))}</span>}
      </span>
      {few.length > 0 && <span className="faint">{few.join(" · ")}</span>}
      {refusal ? (
        <>
          <p className="stopped">{refusal}</p>
          <Said said={redeeming.said} />
        </>
      ) : question === "asked" && !stopped ? (
        <div className="act" role="group" aria-label={words.rewards.confirm(reward.name, price)}>
          <button type="button" ref={focus} {...pressed(redeem)}>{words.rewards.yes(price)}</button>
          <button type="button" className="quiet" onClick={() => setQuestion("answered")}>{words.rewards.no}</button>
        </div>
      ) : (
        <ActButton act={redeeming} scope="SPENDING" label={`${words.rewards.redeem}: ${reward.name}`} focused={question === "answered"} onPress={() => setQuestion("asked")}>
          {words.rewards.redeem}
        </ActButton>
      )}
    </li>
  );
}
