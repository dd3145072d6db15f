// What the sections that are shown need of the figures, asked in two steps: the period in one, which says what lies before it,
// and then the parts of both.
import { type Section, type View } from "./address.ts";
import { type Group, GROUPS } from "./figures.ts";
import { PartsDocument, WholeDocument, type WholeQuery } from "./generated.ts";
import { type Refused, useAnswer } from "./graph.ts";
import { plusDays } from "./periods.ts";
import type { Caller } from "./session.ts";
import type { Row } from "./key_figures.tsx";

export type Whole = NonNullable<WholeQuery["figures"]>[number];
export type ChannelGave = NonNullable<Whole["channels"]>[number];
export type RuleGave = NonNullable<Whole["rules"]>[number];

export interface Find {
  rows: Row[];
  whole: Whole | undefined;
  /** The period before. */
  former: { since: string; until: string } | undefined;
  refused: Refused | undefined;
  waiting: boolean;
}

const NEEDS: Partial<Record<Section, Group[]>> = { overview: ["members", "points", "orders", "tiers"], guests: ["orders", "guests"] };

export function useFigures(caller: Caller, view: View): Find {
  const groups = new Set(view.show.flatMap((section) => NEEDS[section] ?? GROUPS.filter((group) => group === section)));
  const wanted = Object.fromEntries(GROUPS.map((group) => [group, groups.has(group)])) as Record<Group, boolean>;
  const { since, until } = view;
  // Without a section of figures the period is asked for all the same: it may be one that the graph refuses.
  const whole = useAnswer(caller, WholeDocument, { since, until, ...wanted });
  const found = whole.data?.figures?.[0];
  const former = found?.previousSince ? { since: found.previousSince, until: plusDays(found.since, -1) } : undefined;
  const parts = useAnswer(
    caller,
    PartsDocument,
    found && former
      ? {
          since: found.since,
          until: found.until,
          formerSince: former.since,
          formerUntil: former.until,
          by: view.by === "WHOLE" ? null : view.by,
          compare: view.compare,
          ...wanted,
        }
      : null,
  );
  const refused = whole.refused ?? parts.refused;
  const now = refused ? [] : (parts.data?.now ?? []);
  return {
    rows: now.map((part, index) => ({ part, former: parts.data?.former?.[index] })),
    whole: refused ? undefined : found,
    former,
    refused,
    waiting: whole.waiting || parts.waiting,
  };
}
