// The lottery: odds as they are published and used, a draw, and what was drawn.
import { useState } from "preact/hooks";
import { ChancesDocument, DrawLotteryDocument, LotteriesDocument, type DrawLotteryMutation, type LotteriesQuery } from "../../generated/graphql";
import { ActButton, Part, useAct, useAsked, useCentre, Waiting } from "../centre";

type Pool = NonNullable<LotteriesQuery["lotteryPools"]>[number];
type Draw = NonNullable<DrawLotteryMutation["done"]>["draws"][number];

export function Lottery() {
  const { words } = useCentre().reading;
  const asked = useAsked(LotteriesDocument, {});
  if (asked.state !== "there") return <Waiting name="lottery" title={words.lottery.heading} asked={asked} />;
  return <>{(asked.data.lotteryPools ?? []).map((pool) => <PoolPart key={pool.id} pool={pool} />)}</>;
}

function PoolPart({ pool }: { pool: Pool }) {
  const { reading, member } = useCentre();
  const { words } = reading;
  const asked = useAsked(ChancesDocument, { pool: pool.id });
  const drawing = useAct(DrawLotteryDocument);
  const [drawn, setDrawn] = useState<Draw | null>(null);
  const chances = asked.state === "there" ? asked.data.viewer?.member?.lottery : null;
  const draw = async () => {
    setDrawn(null);
    const done = await drawing.run({ member: { id: member.id }, pool: pool.id, count: 1, points: pool.price });
    setDrawn(done?.draws[0] ?? null);
  };
  return (
    <Part name="lottery" title={pool.name} aside={chances?.drawsLeft != null && <span className="faint">{words.lottery.drawsLeft(chances.drawsLeft)}</span>}>
      <ActButton act={drawing} scope="SPENDING" onPress={draw}>
        {words.lottery.draw(reading.amount(pool.price, "points"))}
      </ActButton>
      <p className="drawn" role="status">
        {drawn && (
          <>
            <strong>{words.lottery.won(drawn.name)}</strong> <span className="faint">{words.lottery.because[drawn.because]}</span>
          </>
        )}
      </p>
      {chances?.nextPityIn != null && <p className="faint">{words.lottery.pity(chances.nextPityIn)}</p>}
      <table className="odds">
        <caption>{words.lottery.odds}</caption>
        <thead>
          <tr>
            <th scope="col">{words.lottery.prize}</th>
            <th scope="col">{words.lottery.exact}</th>
            <th scope="col">{words.lottery.chance}</th>
          </tr>
        </thead>
        <tbody>
          {pool.prizes.map((prize) => (
            <tr key={prize.id}>
              <th scope="row">
                {prize.name} {prize.stockLeft != null && <span className="faint">{words.lottery.left(prize.stockLeft)}</span>}
              </th>
              <td>{reading.number(prize.odds.numerator)}/{reading.number(prize.odds.denominator)}</td>
              <td>{reading.percent(prize.odds.numerator / prize.odds.denominator)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {chances && chances.draws.nodes.length > 0 && (
        <>
          <h3>{words.lottery.mine}</h3>
          <ul className="rows">
            {chances.draws.nodes.map((former) => (
              <li key={former.id} className="line">
                <span>{former.name}</span>
                <span className="faint">{reading.time(former.drawnAt)}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <details>
        <summary>{words.lottery.committed} <code>{pool.current.commitment.slice(0, 12)}…</code></summary>
        <p><code>{pool.current.commitment}</code></p>
        <p className="faint">{words.lottery.reveals(reading.time(pool.current.revealsAt))}</p>
      </details>
    </Part>
  );
}
