// Paying a basket with points: what they would pay for, what is left to pay, and setting them aside.
import { useEffect, useId, useMemo, useState } from "preact/hooks";
import { HoldCheckoutDocument, QuoteDocument, ReleaseCheckoutDocument } from "../../generated/graphql";
import { ActButton, Part, pressed, Said, unique, useAct, useAsked, useCentre, Waiting } from "../centre";

const QUIET_MS = 300;

/** What is typed, once nothing more is typed for a moment. */
function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), QUIET_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

export function Checkout() {
  const { reading, member, programme } = useCentre();
  const { words } = reading;
  const field = useId();
  const [typed, setTyped] = useState((100).toFixed(reading.digits));
  const settled = useSettled(typed.trim());
  const isAmount = /^\d{1,9}(\.\d+)?$/.test(settled) && Number(settled) > 0;
  const by = { id: member.id };
  const basket = { amount: settled, currency: programme.currency };
  const asked = useAsked(QuoteDocument, isAmount ? { input: { member: by, basket }, purchase: { member: by, amount: basket, lines: [{ sku: "basket", amount: settled }] }, locale: reading.locale } : null);
  // The same until it is held: pressed again after a lost connection, it is the same basket that asks.
  const [baskets, setBaskets] = useState(0);
  const reference = useMemo(() => `basket-${unique().slice(0, 8)}`, [settled, baskets]);
  const holding = useAct(HoldCheckoutDocument);
  const releasing = useAct(ReleaseCheckoutDocument);
  if (asked.state !== "there") return <Waiting name="checkout" title={words.checkout.heading} asked={asked} />;
  const quote = asked.data.quoteCheckout;
  const [refusal] = quote?.errors ?? [];
  if (!quote || refusal?.code === "CHECKOUT_NOT_OFFERED") return null;
  const holds = (asked.data.viewer?.member?.holds.nodes ?? []).filter(({ channel }) => channel === "checkout");
  const earns = (asked.data.previewPurchase?.awards ?? []).filter(({ given }) => given > 0);
  const reason = (refusal: { code: string; message: string }) =>
    refusal.code === "INSUFFICIENT_POINTS" ? words.checkout.nothing : (reading.refused(refusal) ?? words.other(refusal.message));
  // Amounts of money are exact text; what is left to pay is rounded to the currency's coin when it is written.
  const usable = quote.points && quote.amount ? { points: quote.points, amount: quote.amount.amount } : null;
  return (
    <Part name="checkout" title={words.checkout.heading}>
      <p>
        <label htmlFor={field}>{words.checkout.basket}</label>{" "}
        <span className="entry">
          <input id={field} inputMode="decimal" autocomplete="off" value={typed} aria-invalid={!isAmount} aria-describedby={`${field}-said`} onInput={(event) => setTyped(event.currentTarget.value)} />{" "}
          {programme.currency}
        </span>
      </p>
      <p id={`${field}-said`} role="alert" className="refused">
        {!isAmount ? reading.refused({ code: "INVALID_AMOUNT" }) : refusal ? reason(refusal) : ""}
      </p>
      {isAmount && !refusal && (
        <>
          <dl className="sums" aria-live="polite">
            <div><dt>{words.checkout.uses}</dt><dd>{reading.number(usable?.points ?? 0)}</dd></div>
            <div><dt>{words.checkout.pays}</dt><dd>{reading.money(usable?.amount ?? 0)}</dd></div>
            <div className="total"><dt>{words.checkout.rest}</dt><dd>{reading.money(Number(settled) - Number(usable?.amount ?? 0))}</dd></div>
            {earns.length > 0 && (
              <div><dt>{words.checkout.earns}</dt><dd>{reading.list(earns.map(({ given, unit }) => reading.change(given, unit)))}</dd></div>
            )}
          </dl>
          <p className="faint">{usable ? words.checkout.limits[quote.limitedBy ?? ""] : words.checkout.nothing}</p>
          {usable && (
            <ActButton
              act={holding}
              scope="SPENDING"
              onPress={async () => (await holding.run({ member: by, basket, reference, points: usable.points })) && setBaskets(baskets + 1)}
            >
              {words.checkout.hold(reading.amount(usable.points, "points"))}
            </ActButton>
          )}
        </>
      )}
      {holds.length > 0 && (
        <>
          <h3>{words.checkout.held}</h3>
          <ul className="rows">
            {holds.map((hold) => (
              <li key={hold.id} className="line">
                <span>
                  <strong>{reading.amount(hold.amount, "points")}</strong> <span className="faint">{words.checkout.until(reading.time(hold.expiresAt))}</span>
                </span>
                <button type="button" className="quiet" aria-label={`${words.checkout.release}: ${reading.amount(hold.amount, "points")}`} aria-busy={releasing.busy} {...pressed(() => releasing.busy || releasing.run({ hold: hold.id }))}>
                  {words.checkout.release}
                </button>
              </li>
            ))}
          </ul>
          <p className="faint">{words.checkout.why}</p>
        </>
      )}
      <Said said={releasing.said} />
    </Part>
  );
}
