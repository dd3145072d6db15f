// What the member has of every unit, and what expires when.
import { ExpiryDocument } from "../../generated/graphql";
import { Part, useAsked, useCentre } from "../centre";

const SHOWN = 5;

export function Points() {
  const { standing, programme, reading } = useCentre();
  const { words } = reading;
  const unit = programme.units.find(({ spendable }) => spendable)?.name ?? "points";
  const main = standing.balances.find((balance) => balance.unit === unit);
  const others = standing.balances.filter((balance) => balance.unit !== unit);
  if (!main) return null;
  const besides = [
    [main.pending, words.points.pending],
    [main.held, words.points.held],
    [main.debt, words.points.debt],
  ] as const;
  return (
    <Part name="points" title={reading.unit(unit)}>
      <p className="balance">
        <output className="figure">{reading.number(main.available)}</output>{" "}
        {programme.pointValue && (
          <span className="faint">{words.points.worth(reading.money(main.available * Number(programme.pointValue)))}</span>
        )}
      </p>
      <ul className="chips">
        {besides.filter(([amount]) => amount > 0).map(([amount, called]) => (
          <li key={called}><strong>{reading.number(amount)}</strong> {called}</li>
        ))}
        {others.map((balance) => (
          <li key={balance.unit}><strong>{reading.number(balance.available)}</strong> {reading.unit(balance.unit)}</li>
        ))}
      </ul>
      <Expiry unit={unit} />
    </Part>
  );
}

function Expiry({ unit }: { unit: string }) {
  const { reading } = useCentre();
  const { words } = reading;
  const asked = useAsked(ExpiryDocument, { unit });
  if (asked.state !== "there" || !asked.data.viewer?.member) return null;
  const { nodes, pageInfo } = asked.data.viewer.member.lots;
  // Lots that expire on one day are one line; the last day of a page that goes on may not be whole.
  const byDay = new Map<string, number>();
  for (const lot of nodes) {
    if (lot.expiresAt) byDay.set(reading.dayOf(lot.expiresAt), (byDay.get(reading.dayOf(lot.expiresAt)) ?? 0) + lot.available);
  }
  const days = [...byDay].filter(([, amount]) => amount > 0);
  const [shown, rest] = [days.slice(0, SHOWN), days.slice(SHOWN)];
  const left = rest.reduce((sum, [, amount]) => sum + amount, 0);
  return (
    <>
      <h3>{words.points.expiry}</h3>
      {shown.length === 0 ? (
        <p className="faint">{words.points.never}</p>
      ) : (
        <table className="expiry">
          <thead className="hidden">
            <tr>
              <th scope="col">{words.points.expires}</th>
              <th scope="col">{words.points.amount}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(([day, amount]) => (
              <tr key={day}>
                <td>{reading.day(day)}</td>
                <td>{reading.number(amount)}</td>
              </tr>
            ))}
            {left > 0 && (
              <tr>
                <td>{words.points.rest}</td>
                <td>{pageInfo.hasNextPage ? "> " : ""}{reading.number(left)}</td>
              </tr>
            )}
          </tbody>
        </table>
      )}
    </>
  );
}
