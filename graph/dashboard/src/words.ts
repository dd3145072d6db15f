// All that the page says, in English and in Chinese, and how numbers and days are written in each.
import { isDay, isMonthEnd, isMonthStart } from "./periods.ts";
import type { By, Section } from "./address.ts";
import type { Refused } from "./graph.ts";

export type Language = "en" | "zh";

const EN = {
  title: "Dashboard",
  skip: "To the figures",
  sandbox: "Sandbox",
  logIn: "Log in",
  logOut: "Log out",
  token: "Token or API key",
  tokenHelp: "Of an analyst, an operator or an administrator. It stays in this tab, and is gone when the tab is closed.",
  expired: "Your token is no longer valid. Log in again; the view is still in the address.",
  notForRole: "This token is a {role}’s. The dashboard is for analysts, operators and administrators.",
  noConnection: "The server doesn’t answer. Try again in a moment.",
  lost: "The connection is lost. What you see may be out of date; it is renewed as soon as the server answers.",
  busy: "The server has too much to do. What you see may be out of date; it is asked again by itself.",
  asOf: "As of {moment}",
  refresh: "Refresh",
  refreshBy: "automatically",
  whenBack: "when you come back",
  everyMinute: "every minute",
  everyMinutes: "every {minutes} minutes",
  upgraded: "Laurel was upgraded while this page was open.",
  reload: "Reload the page",
  waiting: "Asking …",
  filters: "Period and parts",
  since: "From",
  until: "To",
  by: "By",
  compare: "Compare with the period before",
  last30: "30 days",
  last90: "90 days",
  months12: "12 months",
  thisYear: "This year",
  lastMonth: "Last month",
  presets: "Usual periods",
  sections: "Sections",
  all: "All of it",
  print: "Print",
  language: "Language",
  copy: "Copy the address",
  copied: "Copied.",
  definition: "Definition and formula",
  definitionIs: "What it is",
  formula: "Formula",
  source: "Where it comes from",
  csv: "CSV",
  parquet: "Parquet",
  download: "Download {name} as {format}",
  part: "Part",
  period: "Period",
  value: "Value",
  before: "Before",
  change: "Change",
  wholePeriod: "Whole period",
  noValue: "–",
  noData: "Nothing in this period.",
  ahead: "The period goes on after today; the days ahead are empty.",
  chartOf: "{name} from {since} to {until}, by {by}: lowest {low}, highest {high}, last {last}. The table beside it has every number.",
  chartEmpty: "{name}: nothing in this period.",
  points: "points",
  members: "Members",
  member: "Member",
  tier: "Tier",
  status: "Status",
  enrolled: "Enrolled on",
  available: "Points available",
  pending: "Points pending",
  close: "Close",
  more: "Show more",
  shown: "{count} shown",
  shownOf: "{count} shown, and there are more",
  membersOfTier: "Members in {tier}",
  membersJoined: "Members who enrolled {period}",
  ticketsOpened: "Tickets opened {period}",
  showTickets: "Show the tickets opened {period}",
  subject: "Subject",
  opened: "Opened",
  due: "Due",
  answered: "Answered",
  compensation: "Compensation",
  notOffered: "This server doesn’t offer it.",
  asOfNow: "As they stand now; the figure is of the end of the period.",
  showTier: "Show the members in {tier}",
  showJoined: "Show the members who enrolled {period}",
  spread: "Members by tier",
  spreadIs: "How many members stood in each tier at the end of each part.",
  channel: "Channel",
  unit: "Unit",
  fired: "Times given",
  given: "Given",
  takenBack: "Taken back",
  cost: "Cost",
  channelsGave: "What each channel gave",
  channelsIs: "How often each channel gave, how much, what it took back, and what it gave in money at the programme’s point value.",
  channelsFormula: "Entries with the contra issuance and claw_back, by channel and unit; cost = given × point_value.",
  measures: "What is shown",
  joinedIn: "Joined in",
  cohortRetention: "Members by the month of joining: retention",
  cohortOrders: "Members by the month of joining: orders",
  cohortRevenue: "Members by the month of joining: revenue",
  cohortEarned: "Members by the month of joining: points earned",
  cohortRedeemed: "Members by the month of joining: points redeemed",
  cohortRetentionFormula: "members of the cohort who ordered in the month ÷ all who joined with it",
  cohortOrdersFormula: "orders of the cohort in the month, less those wholly refunded since",
  cohortRevenueFormula: "spend of the cohort in the month",
  cohortEarnedFormula: "points_earned of the cohort in the month",
  cohortRedeemedFormula: "points debited − credited by redemption, of the cohort in the month",
  cohortsIs: "Who joined in the same month, and what they did in each month since. The months are those that the period touches, whole. The last may not be over.",
  cohortsOf: "{name}, cohorts from {first} to {last}: on average {start} in the month of joining and {end} after {after} months. The table below has every number.",
  cohortsRead: "Down: the month of joining. Across: months after it. The stronger the colour, the more.",
  cohortPointed: "Joined {joined}, in {month} (+{after})",
  rule: "Rule",
  rulesGave: "What each rule gave",
  rulesIs: "In how many awards each rule counted, how much it gave, and what that is in money. What caps and budgets took stands below zero.",
  rulesFormula: "A rule has by how much it changed the award’s total; all rows of a channel add up to what the channel gave, to the point.",
  guests: "Guests",
  times: "Times",
  besideOf: "{name}: members and guests",
  besideIs: "{is} Beside it the same of guests: customers who are no members. Times: members’ by guests’.",
  noGuests: "No orders of guests are recorded in this period: recordGuestOrder brings them, or a file.",
  liability: "Points outstanding by the month in which they are lost",
  liabilityIs: "What all members together could still spend, at this moment. The filters above do not apply.",
  liabilityFormula: "total = available + pending + held; net = total − debt; in money × point_value, rounded once. What is likely lost is not taken off; it is estimated over all members, see docs/value.md.",
  month: "Month",
  never: "Never lost",
  availableNow: "Available",
  pendingLater: "Pending",
  held: "Held",
  total: "Total",
  inMoney: "In money",
  likelyLost: "Likely lost",
  likelyLostInMoney: "Likely lost, in money",
  likelyLostIs: "Apart stands what members are likely to lose of it, by how often they redeem: an estimate that is made once a day, of the days until {until}.",
  availableUsed: "Available, likely used",
  pendingUsed: "Pending, likely used",
  debt: "Debt",
  net: "Net",
  budgets: "Budgets",
  budgetsIs: "What all members together can be given by a rule in the present day or month, or ever, and what is left of it.",
  budgetsFormula: "left = limit − used, and never less than 0; low from used × 100 = limit × alarm on.",
  noBudgets: "The programme in force has no budgets.",
  budget: "Budget",
  limit: "Limit",
  used: "Used",
  left: "Left",
  goneOnes: "Likely to be gone",
  valuableOnes: "Expected value",
  losingOnes: "Likely to lose points",
  predictions: "Members by what they are likely to do",
  predictionsIs: "Estimates for the next thirteen weeks, made once a day, to choose whom to write to. They are no ground to take anything away.",
  predictionsFormula: "BG/NBD or MBG/NBD for orders, gamma-gamma for what is paid, beta-geometric for redemptions; see docs/predictions.md.",
  order: "By",
  likelyGone: "Likely gone",
  expectedOrders: "Expected orders",
  expectedValue: "Expected value",
  pointsDue: "Points due",
  pointsLikelyLost: "Likely lost",
  lastOrder: "Last order",
  noPredictions: "Nothing is predicted yet: the job “predict” runs once a day.",
  errors: "How good the predictions are",
  errorsIs: "The error of the latest run on days that it had not seen, beside the naive guess that all goes on as before. Smaller is better.",
  errorsFormula: "The last {days} days are held back; {members} members had ordered, {repeaters} of them on more than one day.",
  errorsNone: "No run has been judged yet.",
  runRefused: "The latest run found no model: {reason}",
  figure: "Figure",
  measure: "Measure",
  model: "Model",
  guess: "Naive guess",
  band: "Band {low} to {high}",
  bandBelow: "below the band",
  bandWithin: "within the band",
  bandAbove: "above the band",
  up: "up {change}",
  down: "down {change}",
  same: "no change",
  against: "against {before} in {period}",
  percentagePoints: "{number} pp",
  legendNow: "This period",
  legendBefore: "Period before",
  flow: "What became of points",
  issued: "Issued",
  redeemed: "Redeemed",
  expiredPoints: "Expired",
  clawedBack: "Clawed back",
  whoLoses: "Who is likely to lose points",
  pointsFlowIs: "Issued, redeemed, expired and clawed back, side by side.",
  asTable: "Table: {name}",
  refused: "Refused: {reason}",
  footer: "Days are of the time zone {zone}. Money is in {currency}.",
};

type Words = typeof EN;
export type Key = keyof Words;

const ZH: Words = {
  title: "数据看板",
  skip: "跳到数据",
  sandbox: "沙盒",
  logIn: "登录",
  logOut: "退出",
  token: "令牌或 API 密钥",
  tokenHelp: "分析员、运营或管理员的令牌。只保存在本标签页，关闭即清除。",
  expired: "令牌已失效，请重新登录；查看的内容仍在地址中。",
  notForRole: "这是“{role}”的令牌。看板只供分析员、运营和管理员查看。",
  noConnection: "服务器没有应答，请稍后再试。",
  lost: "连接已断开，显示的内容可能已过时；服务器恢复应答后会自动更新。",
  busy: "服务器繁忙，显示的内容可能已过时；稍后会自动重新查询。",
  asOf: "截至 {moment}",
  refresh: "刷新",
  refreshBy: "自动刷新",
  whenBack: "返回页面时",
  everyMinute: "每分钟",
  everyMinutes: "每 {minutes} 分钟",
  upgraded: "页面打开期间 Laurel 已升级。",
  reload: "重新加载",
  waiting: "查询中……",
  filters: "期间与粒度",
  since: "从",
  until: "到",
  by: "粒度",
  compare: "与上一期间对比",
  last30: "近 30 天",
  last90: "近 90 天",
  months12: "近 12 个月",
  thisYear: "今年",
  lastMonth: "上月",
  presets: "常用期间",
  sections: "栏目",
  all: "全部",
  print: "打印",
  language: "语言",
  copy: "复制地址",
  copied: "已复制。",
  definition: "定义与公式",
  definitionIs: "含义",
  formula: "公式",
  source: "来源",
  csv: "CSV",
  parquet: "Parquet",
  download: "将“{name}”下载为 {format}",
  part: "时段",
  period: "期间",
  value: "数值",
  before: "上期",
  change: "变化",
  wholePeriod: "整个期间",
  noValue: "–",
  noData: "此期间没有数据。",
  ahead: "期间延续到今天之后，尚未到来的日子没有数据。",
  chartOf: "{name}，{since}至{until}，按{by}：最低 {low}，最高 {high}，最后 {last}。旁边的表格列出全部数字。",
  chartEmpty: "{name}：此期间没有数据。",
  points: "积分",
  members: "会员",
  member: "会员",
  tier: "等级",
  status: "状态",
  enrolled: "入会日期",
  available: "可用积分",
  pending: "待生效积分",
  close: "关闭",
  more: "显示更多",
  shown: "已显示 {count} 条",
  shownOf: "已显示 {count} 条，还有更多",
  membersOfTier: "{tier}会员",
  membersJoined: "{period}入会的会员",
  ticketsOpened: "{period}新开的工单",
  showTickets: "查看{period}新开的工单",
  subject: "主题",
  opened: "提出时间",
  due: "应答期限",
  answered: "答复时间",
  compensation: "补偿积分",
  notOffered: "此服务器未提供该内容。",
  asOfNow: "名单为当前情况；图中数字为期末情况。",
  showTier: "查看{tier}会员",
  showJoined: "查看{period}入会的会员",
  spread: "各等级会员数",
  spreadIs: "每个时段结束时各等级的会员人数。",
  channel: "渠道",
  unit: "单位",
  fired: "发放次数",
  given: "发放",
  takenBack: "收回",
  cost: "成本",
  channelsGave: "各渠道发放",
  channelsIs: "各渠道发放的次数、数量、收回的数量，以及按积分价值折算的金额。",
  channelsFormula: "按渠道与单位汇总对方科目为 issuance 与 claw_back 的分录；成本 = 发放 × point_value。",
  measures: "显示内容",
  joinedIn: "入会月份",
  cohortRetention: "按入会月份：留存率",
  cohortOrders: "按入会月份：订单数",
  cohortRevenue: "按入会月份：收入",
  cohortEarned: "按入会月份：获得积分",
  cohortRedeemed: "按入会月份：兑换积分",
  cohortRetentionFormula: "该批会员中当月下单的人数 ÷ 该批入会人数",
  cohortOrdersFormula: "该批会员当月的订单，减去其后全额退款的订单",
  cohortRevenueFormula: "该批会员当月的 spend",
  cohortEarnedFormula: "该批会员当月的 points_earned",
  cohortRedeemedFormula: "该批会员当月对方科目为 redemption 的借记 − 贷记积分",
  cohortsIs: "同月入会的会员，在此后每个月做了什么。月份取期间所涉及的整月，最后一个月可能尚未结束。",
  cohortsOf: "{name}，{first}至{last}入会的各批会员：入会当月平均 {start}，第 {after} 个月后平均 {end}。下方表格列出全部数字。",
  cohortsRead: "纵向为入会月份，横向为入会后的月数，颜色越浓数值越大。",
  cohortPointed: "{joined}入会，{month}（+{after}）",
  rule: "规则",
  rulesGave: "各规则发放",
  rulesIs: "每条规则在多少次发放中生效、发放了多少、折合金额多少。上限与预算扣减的部分为负数。",
  rulesFormula: "规则计入其使发放总额改变的部分；同一渠道各行之和与渠道发放一分不差。",
  guests: "非会员",
  times: "倍数",
  besideOf: "{name}：会员与非会员",
  besideIs: "{is}旁边是非会员顾客的同一指标。倍数 = 会员 ÷ 非会员。",
  noGuests: "此期间没有非会员订单记录：可用 recordGuestOrder 或文件导入。",
  liability: "未兑付积分（按失效月份）",
  liabilityIs: "此刻全体会员仍可使用的积分。不受上方筛选影响。",
  liabilityFormula: "合计 = 可用 + 待生效 + 冻结；净额 = 合计 − 欠积分；金额 = 积分 × point_value，一次取整。预计失效部分并未扣除，系对全体会员的估计，见 docs/value.md。",
  month: "月份",
  never: "永不失效",
  availableNow: "可用",
  pendingLater: "待生效",
  held: "冻结",
  total: "合计",
  inMoney: "金额",
  likelyLost: "预计失效",
  likelyLostInMoney: "预计失效金额",
  likelyLostIs: "其中预计会失效的部分单独列出：按会员兑换频率估计，每日更新一次，截至{until}。",
  availableUsed: "可用（预计会使用）",
  pendingUsed: "待生效（预计会使用）",
  debt: "欠积分",
  net: "净额",
  budgets: "预算",
  budgetsIs: "规则在当日、当月或永久对全体会员可发放的上限及余额。",
  budgetsFormula: "余额 = 上限 − 已用，不小于 0；已用 × 100 ≥ 上限 × 提醒百分比时为“偏低”。",
  noBudgets: "现行方案没有预算。",
  budget: "预算",
  limit: "上限",
  used: "已用",
  left: "余额",
  goneOnes: "可能流失",
  valuableOnes: "预期价值",
  losingOnes: "可能损失积分",
  predictions: "按预测排列的会员",
  predictionsIs: "对未来十三周的估计，每日更新，用于选择联系对象；不得作为扣减权益的依据。",
  predictionsFormula: "订单用 BG/NBD 或 MBG/NBD，金额用 gamma-gamma，兑换用 beta-geometric；详见 docs/predictions.md。",
  order: "排序",
  likelyGone: "流失概率",
  expectedOrders: "预期订单",
  expectedValue: "预期金额",
  pointsDue: "将到期积分",
  pointsLikelyLost: "可能损失",
  lastOrder: "最近下单",
  noPredictions: "尚无预测：任务 predict 每日运行一次。",
  errors: "预测有多准",
  errorsIs: "最近一次运行在未见过的日子上的误差，与“一切照旧”的朴素猜测并列。越小越好。",
  errorsFormula: "留出最后 {days} 天；下过单的会员 {members} 位，其中 {repeaters} 位在多于一天下过单。",
  errorsNone: "尚无经过检验的运行。",
  runRefused: "最近一次运行没有得到模型：{reason}",
  figure: "指标",
  measure: "度量",
  model: "模型",
  guess: "朴素猜测",
  band: "区间 {low} 至 {high}",
  bandBelow: "低于区间",
  bandWithin: "在区间内",
  bandAbove: "高于区间",
  up: "上升 {change}",
  down: "下降 {change}",
  same: "无变化",
  against: "上期（{period}）为 {before}",
  percentagePoints: "{number} 个百分点",
  legendNow: "本期",
  legendBefore: "上期",
  flow: "积分去向",
  issued: "发放",
  redeemed: "兑换",
  expiredPoints: "过期",
  clawedBack: "追回",
  whoLoses: "谁可能损失积分",
  pointsFlowIs: "发放、兑换、过期与追回并列。",
  asTable: "表格：{name}",
  refused: "被拒绝：{reason}",
  footer: "日期以 {zone} 时区为准，金额单位为 {currency}。",
};

export const SECTION_NAMES: Record<Language, Record<Section, string>> = {
  en: {
    overview: "Overview", members: "Members", cohorts: "Cohorts", points: "Points", orders: "Orders", guests: "Guests", tiers: "Tiers", service: "Service",
    channels: "Channels", value: "Liability", predictions: "Predictions",
  },
  zh: {
    overview: "总览", members: "会员", cohorts: "同期群", points: "积分", orders: "订单", guests: "非会员", tiers: "等级", service: "服务", channels: "渠道", value: "负债",
    predictions: "预测",
  },
};

export const BY_NAMES: Record<Language, Record<By, string>> = {
  en: { DAY: "day", WEEK: "week", MONTH: "month", QUARTER: "quarter", WHOLE: "period" },
  zh: { DAY: "日", WEEK: "周", MONTH: "月", QUARTER: "季度", WHOLE: "整期" },
};

const ZH_ROLES: Record<string, string> = { member: "会员", service: "系统", partner: "合作方" };
const ZH_STATUS: Record<string, string> = {
  ACTIVE: "正常", FROZEN: "冻结", CLOSED: "已退会", OPEN: "充足", LOW: "偏低", EXHAUSTED: "用尽", DAY: "每日", MONTH: "每月", LIFETIME: "永久",
  orders: "订单天数", spend: "消费金额", silent: "是否下单", mean: "平均误差", root: "均方根误差", total: "总量误差", square: "平均平方误差",
  points: "积分", growth: "成长值",
  "rest.ORDER": "单笔上限", "rest.DAY": "每日上限", "rest.MONTH": "每月上限", "rest.LIFETIME": "终身上限", "rest.PROGRAMME": "全体上限",
  "rest.BUDGET": "预算不足", "rest.BEFORE": "此前已发放", "rest.OTHER": "其他",
  overdue: "逾期未答", "ticket.OPEN": "待答复", "ticket.ANSWERED": "已答复", "ticket.CLOSED": "已关闭",
};
const EN_STATUS: Record<string, string> = {
  ACTIVE: "active", FROZEN: "frozen", CLOSED: "closed", OPEN: "enough", LOW: "low", EXHAUSTED: "exhausted", DAY: "day", MONTH: "month",
  LIFETIME: "for ever", orders: "order days", spend: "amount paid", silent: "any order", mean: "mean distance",
  root: "root mean square", total: "of the sum", square: "mean square",
  "rest.ORDER": "cap of an order", "rest.DAY": "cap of a day", "rest.MONTH": "cap of a month", "rest.LIFETIME": "cap for ever",
  "rest.PROGRAMME": "cap of all together", "rest.BUDGET": "budget used up", "rest.BEFORE": "brought before", "rest.OTHER": "all else",
  overdue: "overdue", "ticket.OPEN": "waiting", "ticket.ANSWERED": "answered", "ticket.CLOSED": "closed",
};

// What the graph says of a period that is none, in words for whoever has typed it: in English and in Chinese.
const REASONS: [RegExp, string, string][] = [
  [/since is not valid: it comes after until/, "the period ends before it begins", "开始日期晚于结束日期"],
  [/since is not valid: a period has at most (\d+) days/, "a period has at most $1 days", "期间最多 $1 天"],
  [/since is not valid: it lies in the future/, "the period begins in the future", "开始日期在将来"],
  [/(?:since|until) is not valid: .*\b(1900)\b.*/, "a period does not go back before $1", "期间不能早于 $1 年"],
  [
    /granularity is not valid: it cuts the period into more than (\d+) parts/, "that is more than $1 parts: choose larger ones, or a shorter period",
    "按此粒度会分成超过 $1 段，请改用更粗的粒度或更短的期间",
  ],
  [/'' is not Day: .*/, "a day is missing: each is written as 2026-06-01", "缺少日期，应写作 2026-06-01"],
  [/'(.*)' is not Day: .*/, "“$1” is no day: it is written as 2026-06-01", "“$1”不是日期，应写作 2026-06-01"],
  [/not for the role (\w+)/, "this is not for the role $1", "角色 $1 无权查看"],
  [/the token is not valid/, "the token is not valid", "令牌无效"],
];

/** A language: what it calls things, and how it writes numbers and days. */
export class Said {
  readonly locale: string;
  readonly #numbers = new Map<string, Intl.NumberFormat>();
  #currency = "";

  constructor(readonly language: Language) {
    this.locale = language === "zh" ? "zh-CN" : "en-GB";
  }

  in(currency: string): this {
    this.#currency = currency;
    return this;
  }

  say(key: Key, facts: Record<string, string | number> = {}): string {
    const text = (this.language === "zh" ? ZH : EN)[key];
    return text.replace(/\{(\w+)\}/g, (_, name: string) => String(facts[name] ?? ""));
  }

  section = (section: Section) => SECTION_NAMES[this.language][section];
  by = (by: By) => BY_NAMES[this.language][by];
  role = (role: string) => (this.language === "zh" ? (ZH_ROLES[role] ?? role) : role);
  word = (word: string) => (this.language === "zh" ? ZH_STATUS : EN_STATUS)[word] ?? word;

  /** What the graph has refused, in this language. */
  refusal({ message, code }: Pick<Refused, "message" | "code">): string {
    if (code === "GRAPHQL_VALIDATION_FAILED") return this.say("notOffered");
    const told = message.replace(/^Variable '\$\w+' has invalid value: /, "");
    const [pattern, en, zh] = REASONS.find(([pattern]) => pattern.test(told)) ?? [/.*/, told, told];
    return (pattern.exec(told)?.[0] ?? "").replace(pattern, this.language === "en" ? en : zh);
  }

  #number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = JSON.stringify(options);
    const found = this.#numbers.get(key) ?? new Intl.NumberFormat(this.locale, options);
    this.#numbers.set(key, found);
    return found;
  }

  count = (value: number) => this.#number({ maximumFractionDigits: 0 }).format(value);
  ratio = (value: number) => this.#number({ minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
  exact = (value: number) => this.#number({ maximumFractionDigits: 4 }).format(value);
  /** To a tenth of a percent; what is less than one, to a hundredth. */
  percent = (value: number) => {
    const digits = value !== 0 && Math.abs(value) < 0.00995 ? 2 : 1;
    const { format } = this.#number({ style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
    // What is little is not nothing.
    return value > 0 && value < 0.00005 ? `< ${format(0.0001)}` : format(value);
  };
  /** A share where there is little room. */
  share = (value: number) => this.#number({ style: "percent", maximumFractionDigits: 0 }).format(value);
  money = (value: number, currency = this.#currency) =>
    currency ? this.#number({ style: "currency", currency, currencyDisplay: "narrowSymbol" }).format(value) : this.ratio(value);

  /** The same, short, for an axis. */
  short(value: number, unit: Unit): string {
    if (unit === "percent") return this.#number({ style: "percent", maximumFractionDigits: 2 }).format(value);
    return this.#number({ notation: "compact", maximumFractionDigits: 2 }).format(value);
  }

  /** A figure where there is little room: large amounts without their cents. */
  brief(value: number | null, unit: Unit): string {
    if (value === null || unit !== "money" || Math.abs(value) < 10_000 || !this.#currency) return this.figure(value, unit);
    const whole = { style: "currency", currency: this.#currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: 0 } as const;
    return this.#number(whole).format(value);
  }

  figure(value: number | null, unit: Unit): string {
    if (value === null) return this.say("noValue");
    if (unit === "percent") return this.percent(value);
    if (unit === "money") return this.money(value);
    return unit === "ratio" ? this.ratio(value) : this.count(value);
  }

  /** How much more or less: of shares in percentage points, of numbers in percent. */
  difference(now: number | null, before: number | null, unit: Unit): { text: string; sign: number } | null {
    if (now === null || before === null) return null;
    if (unit === "percent") {
      const digits = now !== before && Math.abs(now) < 0.00995 && Math.abs(before) < 0.00995 ? 2 : 1;
      const points = Number(((now - before) * 100).toFixed(digits));
      const number = this.#number({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(Math.abs(points));
      return { text: this.say("percentagePoints", { number }), sign: Math.sign(points) };
    }
    if (before === 0) return now === 0 ? { text: this.percent(0), sign: 0 } : null;
    const share = Math.round((now / before - 1) * 1000) / 1000;
    return { text: this.percent(Math.abs(share)), sign: Math.sign(share) };
  }

  /** A day as it is written here; what is none, as the graph will say, stays as it was typed. */
  #day(day: string, options: Intl.DateTimeFormatOptions): string {
    return isDay(day) ? new Intl.DateTimeFormat(this.locale, { ...options, timeZone: "UTC" }).format(new Date(day)) : day;
  }

  day = (day: string) => this.#day(day, { day: "numeric", month: "short", year: "numeric" });
  month = (day: string) => this.#day(day, { month: "short", year: "numeric" });
  moment = (instant: string | number, zone: string, timeStyle: "short" | "medium" = "short") =>
    new Intl.DateTimeFormat(this.locale, { dateStyle: "medium", timeStyle, timeZone: zone }).format(new Date(instant));
  minutes = (minutes: number) => (minutes === 0 ? this.say("whenBack") : minutes === 1 ? this.say("everyMinute") : this.say("everyMinutes", { minutes }));

  /** A part of a period: its month where it is one, else its days. */
  period(since: string, until: string): string {
    if (since === until) return this.day(since);
    if (!isDay(since) || !isDay(until) || since > until) return `${this.day(since)} – ${this.day(until)}`;
    const months = isMonthStart(since) && isMonthEnd(until);
    if (months && since.slice(0, 7) === until.slice(0, 7)) return this.month(since);
    const options: Intl.DateTimeFormatOptions = { ...(!months && { day: "numeric" }), month: "short", year: "numeric", timeZone: "UTC" };
    return new Intl.DateTimeFormat(this.locale, options).formatRange(new Date(since), new Date(until));
  }

  /** The same under a chart, where there is little room. */
  tick(since: string, by: By): string {
    if (by === "MONTH" || by === "QUARTER") return this.#day(since, { month: "short", year: "2-digit" });
    return this.#day(since, { day: "numeric", month: "short" });
  }
}

export type Unit = "count" | "percent" | "money" | "ratio";
