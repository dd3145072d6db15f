// A chart: bars or lines over the parts of a period, or over whatever else stands side by side. It is drawn for the eye; the
// table beside it says the same to everybody else, and pointing at a part of the one marks the part in the other.
import { max, min } from "d3-array";
import { scaleBand, scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Said, Unit } from "./words.ts";

export interface Series {
  name: string;
  values: (number | null)[];
  drawn: "bars" | "line";
  /** Its colour's number; the period before is pale. */
  tone: number | "before";
}

interface Props {
  said: Said;
  /** What stands under each part, and what it is called where there is room. */
  ticks: string[];
  titles: string[];
  series: Series[];
  unit: Unit;
  summary: string;
  stacked?: boolean;
  band?: { low: number; high: number } | undefined;
  height?: number;
  active: number | null;
  onActive: (index: number | null) => void;
}

const TOP = 10;
const BOTTOM = 24;
const RIGHT = 8;
const LETTER = 6.6;
const BAR_MAX = 56;
/** Up to where an axis goes at least: next to nothing is not to look like much. */
const LEAST: Record<Unit, number> = { percent: 0.001, count: 1, money: 1, ratio: 0.04 };

export function Plot(props: Props) {
  const { said, ticks, titles, series, unit, summary, stacked = false, band, height = 256, active, onActive } = props;
  const [frame, width] = useWidth();
  const stacks = titles.map((_, index) => series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0));
  const numbers = stacked ? stacks : series.flatMap(({ values }) => values.filter((value) => value !== null));
  const all = [...numbers, ...(band ? [band.high] : [])];
  const y = scaleLinear([Math.min(0, min(all) ?? 0), Math.max(max(all) ?? 0, LEAST[unit])], [height - BOTTOM, TOP]).nice(4);
  const steps = y.ticks(4).filter((step) => unit !== "count" || Number.isInteger(step));
  const left = Math.max(...steps.map((step) => said.short(step, unit).length), 2) * LETTER + 10;
  const bars = series.filter(({ drawn }) => drawn === "bars");
  // Few bars stay bars, and don't become walls.
  const widest = BAR_MAX * (stacked ? 1 : Math.max(1, bars.length));
  const padding = Math.max(titles.length > 60 ? 0.1 : 0.28, 1 - (widest * titles.length) / Math.max(1, width - left));
  const x = scaleBand<number>(titles.map((_, index) => index), [left, width - RIGHT]).padding(Math.min(padding, 0.95)).paddingOuter(padding / 2);
  const middle = (index: number) => (x(index) ?? 0) + x.bandwidth() / 2;
  const lines = series.filter(({ drawn }) => drawn === "line");
  const room = Math.max(...ticks.map((tick) => wide(tick))) + 14;
  const every = Math.max(1, Math.ceil(room / x.step()));

  const point = (event: PointerEvent) => {
    const at = event.clientX - (event.currentTarget as SVGElement).getBoundingClientRect().left;
    const index = Math.floor((at - left) / x.step());
    onActive(index >= 0 && index < titles.length ? index : null);
  };
  return (
    <div class="plot" ref={frame}>
      {width > 0 && (
        <svg role="img" aria-label={summary} width={width} height={height} viewBox={`0 0 ${width} ${height}`} onPointerMove={point} onPointerDown={point} onPointerLeave={() => onActive(null)}>
          {band && <rect class="band" x={left} width={width - RIGHT - left} y={y(band.high)} height={y(band.low) - y(band.high)} />}
          {steps.map((step) => (
            <g key={step} class={step === 0 ? "step zero" : "step"}>
              <line x1={left} x2={width - RIGHT} y1={y(step)} y2={y(step)} />
              <text x={left - 7} y={y(step)} dy="0.32em">
                {said.short(step, unit)}
              </text>
            </g>
          ))}
          {numbers.every((number) => !number) && (
            <text class="none" x={(left + width - RIGHT) / 2} y={(height - BOTTOM + TOP) / 2}>
              {said.say("noData")}
            </text>
          )}
          {active !== null && <rect class="pointed" x={middle(active) - x.step() / 2} width={x.step()} y={TOP} height={height - BOTTOM - TOP} />}
          {ticks.map((tick, index) =>
            index % every === 0 && middle(index) + wide(tick) / 2 < width + 2 ? (
              <text key={index} class="tick" x={middle(index)} y={height - 6}>
                {tick}
              </text>
            ) : null,
          )}
          {stacked
            ? titles.map((_, index) => {
                let base = 0;
                return series.map(({ values, tone }, number) => {
                  const value = values[index] ?? 0;
                  const [from, to] = [base, base + value];
                  base = to;
                  return value ? (
                    <rect key={`${index} ${number}`} class={`bar tone-${tone}`} x={x(index)} width={x.bandwidth()} y={y(to)} height={Math.max(0, y(from) - y(to) - (number && from ? 1 : 0))} />
                  ) : null;
                });
              })
            : bars.map(({ values, tone }, number) =>
                values.map((value, index) => {
                  if (!value) return null;
                  const each = x.bandwidth() / bars.length;
                  const [top, foot] = [y(Math.max(0, value)), y(Math.min(0, value))];
                  return (
                    <rect key={`${number} ${index}`} class={`bar tone-${tone}`} x={(x(index) ?? 0) + number * each} width={Math.max(0.5, each - (bars.length > 1 && each > 4 ? 1 : 0))} y={top} height={foot - top} />
                  );
                }),
              )}
          {lines.map(({ values, tone, name }) => (
            <g key={name} class={`line tone-${tone}`}>
              <path d={drawn(values, middle, y)} />
              {values.map((value, index) =>
                value !== null && (index === active || titles.length <= 31 || alone(values, index)) ? (
                  <circle key={index} cx={middle(index)} cy={y(value)} r={index === active ? 4 : 2.25} />
                ) : null,
              )}
            </g>
          ))}
        </svg>
      )}
      <p class="legend" aria-hidden="true">
        <span class="where">{active === null ? "" : titles[active]}</span>
        {series.map(({ name, values, tone, drawn }) => (
          <span key={name} class={`key tone-${tone} ${drawn}`}>
            {name}
            {active !== null && <b>{said.figure(values[active] ?? null, unit)}</b>}
          </span>
        ))}
        {band && <span class="key band">{said.say("band", { low: said.percent(band.low), high: said.percent(band.high) })}</span>}
      </p>
    </div>
  );
}

/** A small line without anything around it, for a tile. */
export function Spark({ values }: { values: (number | null)[] }) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <svg class="spark" viewBox="0 0 80 28" aria-hidden="true" />;
  const x = scaleLinear([0, values.length - 1], [2, 76]);
  const y = scaleLinear([Math.min(0, min(known) ?? 0), max(known) || 1], [25, 3]);
  const last = values.findLastIndex((value) => value !== null);
  return (
    <svg class="spark line tone-0" viewBox="0 0 80 28" aria-hidden="true">
      <path d={drawn(values, x, y)} />
      <circle cx={x(last)} cy={y(values[last] ?? 0)} r="2.5" />
    </svg>
  );
}

function drawn(values: (number | null)[], x: (index: number) => number, y: (value: number) => number): string {
  const path = line<number | null>((_, index) => x(index), (value) => y(value ?? 0)).defined((value) => value !== null);
  return path(values) ?? "";
}

const alone = (values: (number | null)[], index: number) => (values[index - 1] ?? null) === null && (values[index + 1] ?? null) === null;

/** How wide a text is, roughly: Chinese letters are twice as wide. */
const wide = (text: string) => [...text].reduce((sum, letter) => sum + (letter > "\u2e80" ? 12 : LETTER), 0);

export function useWidth() {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    setWidth(element.clientWidth);
    return () => observer.disconnect();
  }, []);
  return [frame, width] as const;
}
