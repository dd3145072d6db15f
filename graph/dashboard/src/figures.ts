// What each key figure is, in both languages: docs/figures.md for whoever looks at the page. A figure that the graph has and this
// file has not is an error of types, and so is one that the graph has no longer.
import type { ComparedFragment, GuestsFragment, PartFragment } from "./generated.ts";
import type { Section } from "./address.ts";
import type { Language, Unit } from "./words.ts";

type Names<Of> = { [Name in keyof Of]-?: NonNullable<Of[Name]> extends ComparedFragment ? Name : never }[keyof Of];
/** The figures that guests have as well, by the same names: members stand beside them. */
export type SharedName = Names<PartFragment> & Names<GuestsFragment>;
export type FigureName = Names<PartFragment> | Names<GuestsFragment>;

/** The questions' groups, as operations.graphql has them. */
export const GROUPS = ["members", "points", "orders", "guests", "tiers", "service", "channels"] as const satisfies readonly Section[];
export type Group = (typeof GROUPS)[number];

interface Told {
  name: string;
  is: string;
  formula: string;
}

export interface Definition {
  group: Group;
  unit: Unit;
  /** Sums are drawn as bars, and what stands at an end, or is a share, as a line. */
  drawn: "bars" | "line";
  source: string;
  en: Told;
  zh: Told;
}

export const FIGURES: Record<FigureName, Definition> = {
  members: {
    group: "members", unit: "count", drawn: "line", source: "joined",
    en: { name: "Members", is: "Members who had enrolled by the end.", formula: "all who enrolled until the end" },
    zh: { name: "会员数", is: "期末已入会的会员。", formula: "截至期末的入会人数" },
  },
  newMembers: {
    group: "members", unit: "count", drawn: "bars", source: "joined",
    en: { name: "New members", is: "Members who enrolled in the period.", formula: "all who enrolled from the first day to the last" },
    zh: { name: "新会员", is: "期间内入会的会员。", formula: "期间内的入会人数" },
  },
  activeEarners: {
    group: "members", unit: "percent", drawn: "line", source: "tally points_earned",
    en: {
      name: "Active earners", is: "Members who earned more points than were taken back of these days, by all members.",
      formula: "members with points_earned > 0 in the period ÷ members",
    },
    zh: { name: "活跃获分率", is: "期间内获得积分多于被收回积分的会员，占全体会员的比例。", formula: "期间 points_earned > 0 的会员 ÷ 会员数" },
  },
  pointsIssued: {
    group: "points", unit: "count", drawn: "bars", source: "entries, contra issuance",
    en: { name: "Points issued", is: "Points that were given by rules and channels.", formula: "points credited by issuance" },
    zh: { name: "发放积分", is: "规则与渠道发放的积分。", formula: "对方科目为 issuance 的贷记积分" },
  },
  pointsRedeemed: {
    group: "points", unit: "count", drawn: "bars", source: "entries, contra redemption",
    en: { name: "Points redeemed", is: "Points redeemed, less those given back.", formula: "points debited − credited by redemption" },
    zh: { name: "兑换积分", is: "兑换的积分，减去退回的积分。", formula: "对方科目为 redemption 的借记 − 贷记" },
  },
  pointsExpired: {
    group: "points", unit: "count", drawn: "bars", source: "entries, contra breakage",
    en: {
      name: "Points expired", is: "Points lost by expiry or forfeit, on the day on which they lapsed.",
      formula: "points debited − credited by breakage",
    },
    zh: { name: "过期积分", is: "因到期或没收而失去的积分，计入失效当日。", formula: "对方科目为 breakage 的借记 − 贷记" },
  },
  pointsClawedBack: {
    group: "points", unit: "count", drawn: "bars", source: "entries, contra claw_back",
    en: { name: "Points clawed back", is: "Points taken back, as for refunds.", formula: "points debited − credited by claw_back" },
    zh: { name: "追回积分", is: "因退款等收回的积分。", formula: "对方科目为 claw_back 的借记 − 贷记" },
  },
  redemptionRate: {
    group: "points", unit: "percent", drawn: "line", source: "entries",
    en: { name: "Redemption rate", is: "Points redeemed by points issued.", formula: "points redeemed ÷ points issued" },
    zh: { name: "兑换率", is: "兑换积分占发放积分的比例。", formula: "兑换积分 ÷ 发放积分" },
  },
  expiryRate: {
    group: "points", unit: "percent", drawn: "line", source: "entries",
    en: { name: "Expiry rate", is: "Points expired by points issued.", formula: "points expired ÷ points issued" },
    zh: { name: "过期率", is: "过期积分占发放积分的比例。", formula: "过期积分 ÷ 发放积分" },
  },
  redemptionCostShare: {
    group: "points", unit: "percent", drawn: "line", source: "entries, tally spend",
    en: {
      name: "Redemption cost by revenue", is: "Points redeemed, in money, as a share of what members paid.",
      formula: "points redeemed × point_value ÷ revenue",
    },
    zh: { name: "兑换成本占收入", is: "兑换积分折算的金额占会员消费的比例。", formula: "兑换积分 × point_value ÷ 收入" },
  },
  revenue: {
    group: "orders", unit: "money", drawn: "bars", source: "tally spend",
    en: {
      name: "Revenue", is: "What members paid in money, without what points paid for, less refunds, on the day of the sale.",
      formula: "spend of the period",
    },
    zh: { name: "收入", is: "会员以货币支付的金额，不含积分抵扣，减去退款，计入下单当日。", formula: "期间的 spend" },
  },
  orders: {
    group: "orders", unit: "count", drawn: "bars", source: "tally orders",
    en: { name: "Orders", is: "Orders that cost something, less those wholly refunded since, on the day of the sale.", formula: "orders of the period" },
    zh: { name: "订单数", is: "有金额的订单，减去其后全额退款的订单，计入下单当日。", formula: "期间的 orders" },
  },
  averageOrderValue: {
    group: "orders", unit: "money", drawn: "line", source: "tallies spend, orders",
    en: { name: "Average order value", is: "Revenue by orders.", formula: "revenue ÷ orders" },
    zh: { name: "客单价", is: "平均每单的收入。", formula: "收入 ÷ 订单数" },
  },
  orderFrequency: {
    group: "orders", unit: "ratio", drawn: "line", source: "tally orders",
    en: { name: "Order frequency", is: "Orders by the members who ordered.", formula: "orders ÷ members who ordered" },
    zh: { name: "下单频次", is: "下过单的会员平均下单次数。", formula: "订单数 ÷ 下过单的会员" },
  },
  repurchaseRate: {
    group: "orders", unit: "percent", drawn: "line", source: "tally orders",
    en: {
      name: "Repurchase rate", is: "Members who ordered at least twice by those who ordered at least once.",
      formula: "members with ≥ 2 orders ÷ members with ≥ 1",
    },
    zh: { name: "复购率", is: "至少下单两次的会员，占下过单会员的比例。", formula: "下单 ≥ 2 次的会员 ÷ 下单 ≥ 1 次的会员" },
  },
  retentionRate: {
    group: "orders", unit: "percent", drawn: "line", source: "tally orders",
    en: {
      name: "Retention rate", is: "Of the members who ordered in the period before, those who ordered again.",
      formula: "who ordered in both periods ÷ who ordered in the one before",
    },
    zh: { name: "留存率", is: "上一期间下过单的会员中，本期再次下单的比例。", formula: "两期都下单的会员 ÷ 上期下单的会员" },
  },
  lifetimeValue: {
    group: "orders", unit: "money", drawn: "line", source: "tally spend until the end",
    en: { name: "Lifetime value so far", is: "All revenue until the end by all members.", formula: "all revenue until the end ÷ members" },
    zh: { name: "会员累计价值", is: "截至期末的全部收入，按会员平均。", formula: "截至期末的全部收入 ÷ 会员数" },
  },
  membersRevenueShare: {
    group: "guests", unit: "percent", drawn: "line", source: "tally spend, guests’ orders",
    en: { name: "Members’ share of revenue", is: "What members paid, of what members and guests paid.", formula: "revenue of members ÷ revenue of both" },
    zh: { name: "会员收入占比", is: "会员消费占会员与非会员消费合计的比例。", formula: "会员收入 ÷ 两者收入合计" },
  },
  membersOrderShare: {
    group: "guests", unit: "percent", drawn: "line", source: "tally orders, guests’ orders",
    en: { name: "Members’ share of orders", is: "Orders of members, of those of members and guests.", formula: "orders of members ÷ orders of both" },
    zh: { name: "会员订单占比", is: "会员订单占会员与非会员订单合计的比例。", formula: "会员订单 ÷ 两者订单合计" },
  },
  upgradeRate: {
    group: "tiers", unit: "percent", drawn: "line", source: "steps of tiers",
    en: { name: "Upgrade rate", is: "Steps up the ladder by all members.", formula: "steps up ÷ members" },
    zh: { name: "升级率", is: "升级次数占全体会员的比例。", formula: "升级次数 ÷ 会员数" },
  },
  downgradeRate: {
    group: "tiers", unit: "percent", drawn: "line", source: "steps of tiers",
    en: { name: "Downgrade rate", is: "Steps down the ladder by all members.", formula: "steps down ÷ members" },
    zh: { name: "降级率", is: "降级次数占全体会员的比例。", formula: "降级次数 ÷ 会员数" },
  },
  benefitUse: {
    group: "service", unit: "ratio", drawn: "line", source: "tally benefits_used",
    en: { name: "Benefit use", is: "Uses of benefits, less those taken back, by all members.", formula: "uses of benefits ÷ members" },
    zh: { name: "权益使用", is: "权益使用次数减去撤回次数，按会员平均。", formula: "权益使用次数 ÷ 会员数" },
  },
  complaints: {
    group: "service", unit: "percent", drawn: "line", source: "operations of the ticket channel",
    en: { name: "Complaints", is: "Tickets opened by all members.", formula: "tickets opened ÷ members" },
    zh: { name: "投诉率", is: "新开工单占全体会员的比例。", formula: "新开工单 ÷ 会员数" },
  },
};

export const NAMES = Object.keys(FIGURES) as FigureName[];
export const namesOf = (group: Group): FigureName[] => NAMES.filter((name) => FIGURES[name].group === group);
export const told = (name: FigureName, language: Language): Told => FIGURES[name][language];

/** What stands side by side of members and guests. */
export const SHARED = ["revenue", "orders", "averageOrderValue", "orderFrequency", "repurchaseRate", "retentionRate"] as const satisfies readonly SharedName[];

/** A figure of a part; undefined where it was not asked for. */
export const figureOf = (part: PartFragment | undefined, name: FigureName): ComparedFragment | undefined =>
  part && ((name in part ? part[name as keyof PartFragment] : part.guests?.[name as keyof GuestsFragment]) as ComparedFragment | undefined);

/** The number of a figure in a part, for the eye; null by nothing, and where it was not asked for. */
export const number = (part: PartFragment | undefined, name: FigureName): number | null => valueOf(figureOf(part, name)?.now);

/** The same of guests, of what members have as well. */
export const guestNumber = (part: PartFragment | undefined, name: SharedName): number | null => valueOf(part?.guests?.[name].now);

export const valueOf = (value: { value: string | null } | null | undefined): number | null =>
  value === null || value === undefined || value.value === null ? null : Number(value.value);
