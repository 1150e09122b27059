// The charts of the timeline, one under the other on the same axis, as an option for ECharts.
//
// What comes in: what the server answered, the axis, the colours and the width. What goes out: the
// option, and the things that the keyboard stops at. Guaranteed: pure but for patterns; nothing is
// told by colour alone: kinds have symbols, line styles, patterns and words of their own.

import type { CustomSeriesRenderItem } from "echarts";
import type { EChartsCoreOption } from "echarts/core";

import { type Colours, faint, pattern } from "./colours";
import type { Scale } from "./scale";
import type { Sentences } from "./sentences";
import { type Doc, type Given, type Item, LEAST_P, type Maybe, oneOf, say } from "./types";

const HEIGHTS = { p: 210, gate: 62, lanes: 126, evidence: 84, channel: 78, overview: 54 };
const BETWEEN = 34;
const TOP = 30;
const RIGHT = 18;
const SILENCE_MS = 36 * 3_600_000;
const LINES = ["dashed", "dotted", [8, 3, 2, 3], [2, 6], [12, 4]];
const SIGNS = ["emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond", "pin"];
const MOST_SIGNS = 150; // beyond, they are drawn as one shape and not one by one
const LEAST_BAR = 0.12; // so high is a day that has nothing to show
const HALF_A_DAY_MS = 43_200_000;
const ROWS = ["episodes", "diary", "moments", "model", "monitor"] as const;
const GATES = ["not_a_cry", "refused", "accepted"] as const;

type Option = Record<string, unknown>;
type Pair = [number, Maybe];

export interface Drawn {
  option: EChartsCoreOption;
  items: Item[];
  height: number;
  pGrid: { left: number; right: number };
}

interface Desk {
  given: Given;
  doc: Doc;
  scale: Scale;
  colours: Colours;
  left: number;
  sentences: Sentences;
  view: { from: number; to: number };
  focus: number;
}

export function draw(desk: Desk): Drawn {
  const { doc, scale, colours, left } = desk;
  const names = ["p", "gate", "lanes", "evidence", ...doc.channels.map(() => "channel"), "overview"] as (keyof typeof HEIGHTS)[];
  const grids: Option[] = [];
  let top = TOP;
  names.forEach((name) => {
    grids.push({ top, height: HEIGHTS[name], left, right: RIGHT, outerBoundsMode: "none" });
    const isLabelled = name === "p" || names.indexOf("overview") === grids.length;
    top += HEIGHTS[name] + (isLabelled ? 52 : BETWEEN);
  });
  const last = names.length - 1;
  const items = itemsOf(desk);
  const series = [
    ...pSeries(desk, items),
    ...gateSeries(desk),
    ...laneSeries(desk),
    ...evidenceSeries(desk),
    ...doc.channels.flatMap((name, at) => channelSeries(desk, name, 4 + at)),
    ...overviewSeries(desk, last),
  ];
  const focusAxes = names.map((_, at) => at).filter((at) => at !== last);
  const option = {
    useUTC: true,
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", color: colours.ink },
    aria: { enabled: true, label: { description: say(desk.given.words, "aria") }, decal: { show: false } },
    grid: grids,
    xAxis: names.map((name, at) => xAxis(desk, name, at, last)),
    yAxis: names.map((name, at) => yAxis(desk, name, at)),
    tooltip: {
      trigger: "item",
      renderMode: "richText",
      confine: true,
      backgroundColor: colours.surface,
      borderColor: colours.field,
      textStyle: { color: colours.ink, fontSize: 13, width: 260, overflow: "break" },
      formatter: "",
    },
    dataZoom: [
      {
        type: "inside",
        id: "inside",
        xAxisIndex: focusAxes,
        filterMode: "none",
        zoomOnMouseWheel: "ctrl",
        moveOnMouseWheel: false,
        preventDefaultMouseMove: false,
        startValue: scale.x(desk.view.from),
        endValue: scale.x(desk.view.to),
      },
      {
        type: "slider",
        id: "slider",
        xAxisIndex: focusAxes,
        filterMode: "none",
        showDataShadow: false,
        showDetail: false,
        brushSelect: false,
        ...(grids[last] as { top: number; height: number }),
        left,
        right: RIGHT,
        backgroundColor: "transparent",
        borderColor: colours.field,
        fillerColor: faint(colours.accent, 0.2),
        handleSize: "110%",
        handleStyle: { color: colours.accent, borderColor: colours.surface },
        moveHandleStyle: { color: colours.accent, opacity: 0.8 },
        moveHandleSize: 12,
        emphasis: { handleStyle: { color: colours.ink }, moveHandleStyle: { color: colours.ink } },
        startValue: scale.x(desk.view.from),
        endValue: scale.x(desk.view.to),
      },
    ],
    series,
  };
  return { option, items, height: top + 12, pGrid: { left, right: RIGHT } };
}

// --- axes ----------------------------------------------------------------------------------------

function xAxis(desk: Desk, name: string, at: number, last: number): Option {
  const { scale, colours, doc } = desk;
  const isLabelled = at === 0 || at === last || at === last - 1;
  return {
    gridIndex: at,
    type: scale.by === "time" ? "time" : "value",
    min: scale.least,
    max: scale.most,
    axisLine: { lineStyle: { color: colours.field } },
    axisTick: { show: isLabelled, lineStyle: { color: colours.field } },
    splitLine: { show: name !== "overview", lineStyle: { color: colours.line } },
    axisLabel: {
      show: isLabelled,
      color: colours.muted,
      hideOverlap: true,
      formatter: (value: number) => (scale.by === "time" ? desk.sentences.tick(value, doc) : desk.sentences.number(value)),
    },
    ...(scale.by === "number" ? { minInterval: 1 } : {}),
  };
}

function yAxis(desk: Desk, name: string, at: number): Option {
  const { colours, given, doc } = desk;
  const words = given.words;
  const base = {
    gridIndex: at,
    nameLocation: "end",
    nameGap: 12,
    nameTextStyle: { color: colours.ink, fontWeight: 600, align: "left", padding: [0, 0, 0, 4 - desk.left] },
    axisLabel: { color: colours.muted, fontSize: 11 },
    axisLine: { show: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colours.line } },
  };
  if (name === "p")
    return { ...base, type: "log", inverse: true, nameLocation: "start", min: LEAST_P, max: 1, name: say(words, "p") };
  if (name === "gate")
    return desk.doc.form === "single"
      ? { ...base, type: "category", data: GATES.map((gate) => oneOf(words, "gates", gate)), name: say(words, "gate"), splitLine: { show: true, lineStyle: { color: colours.line } } }
      : { ...base, type: "value", minInterval: 1, splitNumber: 2, name: say(words, "gate") };
  if (name === "lanes")
    return { ...base, type: "category", inverse: true, data: ROWS.map((row) => (row === "moments" ? " " : say(words, row))), splitLine: { show: true, lineStyle: { color: colours.line } } };
  if (name === "evidence")
    return { ...base, type: "value", splitNumber: 2, name: say(words, "evidence"), min: (v: { min: number }) => Math.min(Math.floor(v.min), 0), max: (v: { max: number }) => Math.ceil(Math.max(v.max, doc.threshold + 0.5)) };
  if (name === "overview")
    return { ...base, type: "value", min: 0, max: 3, axisLabel: { show: false }, splitLine: { show: false }, name: say(words, "overview") };
  const facts = given.channels[doc.channels[at - 4] ?? ""];
  return { ...base, type: "value", scale: true, splitNumber: 2, name: facts ? `${facts.label} (${facts.unit})` : "" };
}

// --- what the keyboard stops at ------------------------------------------------------------------

function itemsOf({ doc, scale }: Desk): Item[] {
  const { singles, buckets } = doc;
  if (singles)
    return singles.t.map((at, index) => ({
      at,
      end: at,
      x: placeOf(scale, at, singles.n[index] ?? null),
      p: singles.p[index] ?? null,
      id: singles.id[index] ?? null,
      index,
    }));
  if (!buckets) return [];
  return buckets.t.map((at, index) => {
    const end = buckets.end[index] ?? at;
    const first = buckets.first[index] ?? 0;
    const x = scale.by === "number" ? first + ((buckets.n[index] ?? 1) - 1) / 2 : scale.x((at + end) / 2);
    return { at, end, x, p: buckets.median[index] ?? null, id: null, index };
  });
}

/** What a series says of its points when one is pointed at; nothing is put into words before. */
function saying(of: (index: number) => string): Option {
  return { tooltip: { formatter: (point: { dataIndex: number }) => of(point.dataIndex) } };
}

/** One stroke for each place, as a single line that is lifted between them. */
function strokes(ends: [number, Maybe, Maybe][]): Pair[] {
  return ends.flatMap(([x, from, to]): Pair[] => [[x, from], [x, to], [x, null]]);
}

function placeOf(scale: Scale, at: number, number: Maybe): number {
  return scale.by === "number" && number != null ? number : scale.x(at);
}

export function bounded(p: Maybe): Maybe {
  return p == null ? null : Math.min(Math.max(p, LEAST_P), 1);
}

// --- p-values ------------------------------------------------------------------------------------

function pSeries(desk: Desk, items: Item[]): Option[] {
  const { doc, colours, given, scale } = desk;
  const words = given.words;
  const areas = [
    [{ yAxis: 1, itemStyle: { color: faint(colours.usual, 0.08) } }, { yAxis: given.unusual }],
    ...doc.gaps.map(([from, to, kind]) => [
      { xAxis: scale.x(from), name: oneOf(words, "gaps", kind), itemStyle: { color: pattern(kind === "silent" ? "strokes" : "specks", colours.field) }, label: { show: scale.by === "time" && (to - from) / (doc.to - doc.from) > 0.12, color: colours.ink, position: "insideBottom", backgroundColor: colours.surface, padding: [2, 4] } },
      { xAxis: scale.x(to) },
    ]),
  ];
  const frame = {
    type: "line",
    name: "frame",
    data: [],
    silent: true,
    markArea: { silent: true, data: areas },
    markLine: {
      silent: true,
      symbol: "none",
      lineStyle: { color: colours.odd, type: [6, 4], width: 1.4 },
      label: { formatter: say(words, "usualLine"), position: "insideStartTop", color: colours.odd, fontSize: 11 },
      data: [{ yAxis: given.unusual }],
    },
  };
  const body = doc.singles ? singleSeries(desk, items) : bucketSeries(desk, items);
  const focused = items[desk.focus];
  const ring = {
    type: "scatter",
    name: "focus",
    silent: true,
    symbol: "circle",
    symbolSize: 20,
    z: 9,
    itemStyle: { color: "transparent", borderColor: colours.focus, borderWidth: 3 },
    data: focused ? [[focused.x, bounded(focused.p) ?? 1]] : [],
    markLine: focused
      ? { silent: true, symbol: "none", label: { show: false }, lineStyle: { color: colours.focus, type: "solid", width: 1 }, data: [{ xAxis: focused.x }] }
      : undefined,
  };
  return [frame, ...body, ring];
}

function singleSeries(desk: Desk, items: Item[]): Option[] {
  const { doc, colours, given, scale } = desk;
  const singles = doc.singles;
  if (!singles) return [];
  const of = (wanted: (at: number) => boolean): Option => {
    const found = items.filter((item) => item.p != null && wanted(item.index));
    return { data: found.map((item) => [item.x, bounded(item.p)]), ...sayingOf(desk, found) };
  };
  const isReviewed = (at: number) => singles.review[at] != null;
  const sessions = doc.sessions ?? { t: [], p: [], n: [] };
  const line: (number | null)[][] = [];
  sessions.t.forEach((t, at) => {
    const before = sessions.t[at - 1];
    if (before != null && t - before > SILENCE_MS) line.push([scale.x(t) - 1, null]);
    line.push([scale.x(t), bounded(sessions.p[at] ?? null)]);
  });
  return [
    { type: "line", name: say(given.words, "sessions"), data: line, showSymbol: false, silent: true, lineStyle: { color: colours.field, width: 1.2 }, z: 2 },
    ...scorerSeries(desk, (name) => items.map((item) => [item.x, bounded(singles.scorers[name]?.[item.index] ?? null)])),
    { type: "scatter", name: oneOf(given.words, "gates", "accepted"), symbol: "circle", symbolSize: 9, itemStyle: { color: colours.usual, borderColor: colours.surface, borderWidth: 0.8 }, ...of((at) => singles.gate[at] === "accepted"), z: 4 },
    { type: "scatter", name: oneOf(given.words, "gates", "refused"), symbol: "diamond", symbolSize: 12, itemStyle: { color: colours.surface, borderColor: colours.usual, borderWidth: 1.8 }, ...of((at) => singles.gate[at] !== "accepted"), z: 4 },
    { type: "scatter", name: say(given.words, "reviewedIn"), symbol: "triangle", symbolSize: 8, symbolOffset: [0, -12], itemStyle: { color: colours.shift }, ...of(isReviewed), z: 5, silent: true },
  ];
}

function bucketSeries(desk: Desk, items: Item[]): Option[] {
  const { doc, colours, given } = desk;
  const buckets = doc.buckets;
  if (!buckets) return [];
  const known = items.filter((item) => item.p != null);
  const of = (found: Item[], values: Maybe[]): Option => ({
    type: "scatter",
    large: true,
    largeThreshold: MOST_SIGNS,
    data: found.map((item) => [item.x, bounded(values[item.index] ?? null)]),
    ...sayingOf(desk, found),
  });
  const isOdd = (item: Item) => (buckets.min[item.index] ?? 1) <= given.unusual;
  const smallest = { name: say(given.words, "smallest"), symbol: "triangle", itemStyle: { color: colours.odd }, z: 3 };
  return [
    { type: "line", name: "whiskers", data: strokes(known.map((item) => [item.x, bounded(buckets.min[item.index] ?? null), bounded(item.p)])), showSymbol: false, silent: true, lineStyle: { color: faint(colours.field, 0.7), width: 1 }, z: 1 },
    { type: "line", name: say(given.words, "sessions"), data: items.map((item) => [item.x, bounded(buckets.session[item.index] ?? null)]), showSymbol: false, silent: true, lineStyle: { color: colours.field, width: 1.4 }, z: 2 },
    ...scorerSeries(desk, (name) => items.map((item) => [item.x, bounded(buckets.scorers[name]?.[item.index] ?? null)])),
    { ...of(known, buckets.median), name: say(given.words, "median"), symbol: "circle", symbolSize: 6, itemStyle: { color: colours.usual, borderColor: colours.surface, borderWidth: 0.6 }, z: 4 },
    { ...of(known.filter(isOdd), buckets.min), ...smallest, symbolSize: 9 },
    { ...of(known.filter((item) => !isOdd(item)), buckets.min), ...smallest, symbolSize: 4 },
  ];
}

function sayingOf(desk: Desk, found: Item[]): Option {
  return saying((index) => (found[index] ? desk.sentences.point(desk.doc, found[index]) : ""));
}

function scorerSeries(desk: Desk, of: (name: string) => (number | null)[][]): Option[] {
  const { doc, colours, given } = desk;
  return doc.scorers.map((name, at) => ({
    type: "line",
    name: oneOf(given.words, "scorers", name),
    data: of(name).filter((pair) => pair[1] != null),
    symbol: itemsOf(desk).length > MOST_SIGNS ? "none" : SIGNS[at % SIGNS.length],
    symbolSize: 5,
    silent: true,
    lineStyle: { color: colours.muted, width: 1, type: LINES[at % LINES.length] },
    itemStyle: { color: colours.muted },
    endLabel: { show: true, formatter: oneOf(given.words, "scorers", name), color: colours.ink, fontSize: 11, backgroundColor: colours.surface, offset: [-110, 0] },
    z: 2,
  }));
}

// --- the gate ------------------------------------------------------------------------------------

function gateSeries(desk: Desk): Option[] {
  const { doc, colours, given } = desk;
  const axes = { xAxisIndex: 1, yAxisIndex: 1 };
  const items = itemsOf(desk);
  if (doc.singles) {
    const { gate, reason, reasons, review } = doc.singles;
    const symbols: Record<string, [string, Option]> = {
      accepted: ["circle", { color: colours.usual }],
      refused: ["diamond", { color: colours.surface, borderColor: colours.usual, borderWidth: 1.6 }],
      not_a_cry: ["path://M-4,-4L4,4M-4,4L4,-4", { color: "transparent", borderColor: colours.muted, borderWidth: 1.6 }],
    };
    const decided = items.filter((item) => gate[item.index] !== "undecided");
    const marks = decided.map((item) => {
      const kind = gate[item.index] ?? "accepted";
      const [symbol, itemStyle] = symbols[kind] ?? ["circle", {}];
      return { value: [item.x, GATES.indexOf(kind as (typeof GATES)[number])], symbol, itemStyle };
    });
    const why = (item: Item) => `${desk.sentences.point(doc, item)}\n${reasons[reason[item.index] ?? 0] ?? ""}`;
    const reviewed = items.filter((item) => review[item.index] != null);
    const isIn = (item: Item | undefined) => Boolean(item && review[item.index]);
    const answers = reviewed.map((item) => ({ value: [item.x, isIn(item) ? 2 : 1], symbolRotate: isIn(item) ? 0 : 180 }));
    return [
      { ...axes, type: "scatter", name: say(given.words, "gate"), symbolSize: 8, data: marks, ...saying((index) => (decided[index] ? why(decided[index]) : "")) },
      { ...axes, type: "scatter", name: say(given.words, "reviewedIn"), symbol: "triangle", symbolSize: 9, itemStyle: { color: colours.shift }, data: answers, z: 4, ...saying((index) => say(given.words, isIn(reviewed[index]) ? "reviewedIn" : "reviewedOut")) },
    ];
  }
  const buckets = doc.buckets;
  if (!buckets) return [];
  const bar = (name: string, of: (at: number) => number, style: Option) => ({
    ...axes,
    type: "bar",
    stack: "gate",
    name,
    large: true,
    largeThreshold: MOST_SIGNS,
    barMinWidth: 1,
    barMaxWidth: 14,
    itemStyle: style,
    data: items.map((item) => [item.x, of(item.index)]),
    ...sayingOf(desk, items),
  });
  const refused = (at: number) => (buckets.n[at] ?? 0) - (buckets.accepted[at] ?? 0);
  return [
    bar(oneOf(given.words, "gates", "accepted"), (at) => buckets.accepted[at] ?? 0, { color: colours.usual }),
    bar(oneOf(given.words, "gates", "refused"), refused, { color: pattern("strokes", colours.usual), borderColor: colours.usual, borderWidth: 0.6 }),
    bar(oneOf(given.words, "gates", "not_a_cry"), (at) => buckets.notCries[at] ?? 0, { color: pattern("specks", colours.muted), borderColor: colours.muted, borderWidth: 0.6 }),
  ];
}

// --- episodes, diary, models, monitors -----------------------------------------------------------

function laneSeries(desk: Desk): Option[] {
  const { doc, scale, colours } = desk;
  const axes = { xAxisIndex: 2, yAxisIndex: 2 };
  const looks: Record<string, string> = { shift: colours.shift, odd: colours.odd, surroundings: colours.quiet };
  const hatch: Record<string, "strokes" | "bars" | "specks"> = { shift: "strokes", odd: "bars", surroundings: "specks" };
  const episode: CustomSeriesRenderItem = (_params, api) => {
    const one = doc.episodes[Number(api.value(2))];
    if (!one) return null;
    return barOf(api, {
      ends: [Number(api.value(0)), Number(api.value(1))],
      row: 0,
      fill: pattern(hatch[one.look] ?? "specks", faint(looks[one.look] ?? colours.quiet, 0.6)),
      stroke: looks[one.look] ?? colours.quiet,
      label: one.label,
      ink: colours.ink,
      ground: colours.surface,
      since: one.earliest != null && one.latest != null ? [scale.x(one.earliest), scale.x(one.latest)] : null,
    });
  };
  const isLong = (one: { t: number; end: number }) => one.end - one.t > 3 * 3_600_000;
  const note: CustomSeriesRenderItem = (_params, api) => {
    const at = Number(api.value(2));
    const one = doc.notes[at];
    if (!one) return null;
    const next = doc.notes.slice(at + 1).find((other) => isLong(other) === isLong(one));
    const until = next ? scale.x(next.t) : Infinity;
    return barOf(api, { ends: [Number(api.value(0)), Number(api.value(1))], row: isLong(one) ? 1 : 2, fill: colours.surface, stroke: colours.ink, label: one.label, ink: colours.ink, ground: colours.surface, since: null, until });
  };
  const moments = (rows: { t: number; label: string }[], row: number, symbol: string, size: [number, number] | number) => ({
    ...axes,
    type: "scatter",
    name: say(desk.given.words, ROWS[row] ?? ""),
    symbol,
    symbolSize: size,
    itemStyle: { color: colours.muted },
    data: rows.map((one) => [scale.x(one.t), row]),
    ...saying((index) => rows[index]?.label ?? ""),
  });
  return [
    { ...axes, type: "custom", name: say(desk.given.words, "episodes"), renderItem: episode, clip: true, encode: { x: [0, 1], y: 3 }, data: doc.episodes.map((one, at) => [scale.x(one.began), scale.x(one.end), at, 0]), ...saying((index) => doc.episodes[index]?.words ?? "") },
    { ...axes, type: "custom", name: say(desk.given.words, "diary"), renderItem: note, clip: true, encode: { x: [0, 1], y: 3 }, data: doc.notes.map((one, at) => [scale.x(one.t), scale.x(one.end), at, isLong(one) ? 1 : 2]), ...saying((index) => doc.notes[index]?.label ?? "") },
    moments(doc.versions, 3, "rect", [2, 13]),
    {
      ...moments(doc.monitors, 4, "arrow", 13),
      itemStyle: { color: colours.ink },
      symbolRotate: -90,
      label: { show: true, position: "right", color: colours.ink, fontSize: 11, formatter: (point: { dataIndex: number }) => doc.monitors[point.dataIndex]?.label ?? "" },
    },
  ];
}

interface Bar {
  ends: [number, number];
  row: number;
  fill: unknown;
  stroke: string;
  label: string;
  ink: string;
  ground: string;
  since: [number, number] | null;
  until?: number;
}

type Api = Parameters<CustomSeriesRenderItem>[1];

function barOf(api: Api, bar: Bar): ReturnType<CustomSeriesRenderItem> {
  const [left = 0, middle = 0] = api.coord([bar.ends[0], bar.row]);
  const [right = 0] = api.coord([bar.ends[1], bar.row]);
  const width = Math.max(right - left, 5);
  const height = 16;
  const top = middle - height / 2;
  const parts: Option[] = [
    { type: "rect", shape: { x: left, y: top, width, height, r: 3 }, style: { fill: bar.fill, stroke: bar.stroke, lineWidth: 1.6 } },
  ];
  if (bar.since) {
    const [from = 0] = api.coord([bar.since[0], bar.row]);
    const [to = 0] = api.coord([bar.since[1], bar.row]);
    const y = top - 4;
    parts.push({ type: "path", shape: { pathData: `M${from} ${y - 3}v6M${from} ${y}H${Math.max(to, from + 1)}M${Math.max(to, from + 1)} ${y - 3}v6` }, style: { stroke: bar.stroke, lineWidth: 1.6, fill: "none" } });
  }
  const isInside = width > bar.label.length * 7 + 8;
  const [end = Infinity] = bar.until != null && Number.isFinite(bar.until) ? api.coord([bar.until, bar.row]) : [];
  if (!isInside && end - left - width < 34) return { type: "group", children: parts } as unknown as ReturnType<CustomSeriesRenderItem>;
  parts.push({
    type: "text",
    style: { text: bar.label, x: isInside ? Math.max(left, 0) + 5 : left + width + 4, y: middle, verticalAlign: "middle", fill: bar.ink, fontSize: 11, width: Math.min(160, end - left - width - 6 > 20 ? end - left - width - 6 : 160), overflow: "truncate", backgroundColor: isInside ? bar.ground : undefined, padding: isInside ? [1, 3] : 0 },
  });
  return { type: "group", children: parts } as unknown as ReturnType<CustomSeriesRenderItem>;
}

// --- the monitor's evidence ----------------------------------------------------------------------

function evidenceSeries(desk: Desk): Option[] {
  const { doc, scale, colours, given } = desk;
  const axes = { xAxisIndex: 3, yAxisIndex: 3 };
  const { t, highest, moved } = doc.watched;
  const wall = (at: number) => (scale.by === "time" ? scale.x(t[at] ?? 0) : (t[at] ?? 0));
  const said = (at: number | undefined) => (at == null ? "" : desk.sentences.evidence(wall(at), highest[at], doc.threshold));
  const points = t.map((day, at) => [scale.x(day), highest[at]]);
  const over = t.map((_, at) => at).filter((at) => Number(highest[at]) >= doc.threshold);
  const rooms = t.map((_, at) => at).filter((at) => moved[at]);
  return [
    {
      ...axes,
      type: "line",
      name: say(given.words, "evidence"),
      data: points,
      silent: true,
      showSymbol: false,
      lineStyle: { color: colours.usual, width: 1.4 },
      markLine: { silent: true, symbol: "none", lineStyle: { color: colours.shift, type: [6, 4], width: 1.4 }, label: { formatter: say(given.words, "threshold"), position: "insideStartTop", color: colours.shift, fontSize: 11 }, data: [{ yAxis: doc.threshold }] },
    },
    { ...axes, type: "scatter", name: say(given.words, "evidence"), symbol: "circle", symbolSize: 4, large: true, largeThreshold: MOST_SIGNS, itemStyle: { color: colours.usual }, data: points, z: 2, ...saying(said) },
    { ...axes, type: "scatter", name: say(given.words, "threshold"), symbol: "triangle", symbolSize: 10, itemStyle: { color: colours.shift }, data: over.map((at) => points[at]), z: 4, ...saying((index) => said(over[index])) },
    { ...axes, type: "scatter", name: say(given.words, "room"), symbol: "rect", symbolSize: [3, 18], itemStyle: { color: colours.quiet }, data: rooms.map((at) => points[at]), z: 3, ...saying(() => say(given.words, "room")) },
  ];
}

// --- acoustic channels ---------------------------------------------------------------------------

function channelSeries(desk: Desk, name: string, grid: number): Option[] {
  const { doc, colours, given } = desk;
  const axes = { xAxisIndex: grid, yAxisIndex: grid };
  const items = itemsOf(desk);
  const range = doc.usual.ranges[name];
  const band = range
    ? { silent: true, itemStyle: { color: faint(colours.usual, 0.16) }, data: [[{ yAxis: range[0] }, { yAxis: range[1] }]] }
    : undefined;
  const label = given.channels[name]?.label ?? name;
  if (doc.singles) {
    const values = doc.singles.channels[name] ?? [];
    const isOutside = (value: number) => range != null && (value < range[0] || value > range[1]);
    const known = items.filter((item) => values[item.index] != null);
    const points = known.map((item) => {
      const value = values[item.index] as number;
      return { value: [item.x, value], symbol: isOutside(value) ? "diamond" : "circle", symbolSize: isOutside(value) ? 8 : 5, itemStyle: { color: isOutside(value) ? colours.odd : colours.usual } };
    });
    return [{ ...axes, type: "scatter", name: label, data: points, markArea: band, ...sayingOfChannel(desk, name, known, values) }];
  }
  const found = doc.buckets?.channels[name];
  if (!found) return [];
  const [low, middle, high] = found;
  const known = items.filter((item) => middle[item.index] != null);
  const spread = strokes(known.map((item) => [item.x, low[item.index] ?? null, high[item.index] ?? null]));
  return [
    { ...axes, type: "line", name: `${label} spread`, data: spread, showSymbol: false, silent: true, lineStyle: { color: faint(colours.usual, 0.5), width: 2 }, z: 1 },
    { ...axes, type: "line", name: label, showSymbol: known.length < MOST_SIGNS, symbol: "circle", symbolSize: 4, lineStyle: { color: colours.usual, width: 1.4 }, itemStyle: { color: colours.usual }, data: known.map((item) => [item.x, middle[item.index] ?? null]), markArea: band, ...sayingOfChannel(desk, name, known, middle) },
  ];
}

function sayingOfChannel(desk: Desk, name: string, known: Item[], values: Maybe[]): Option {
  return saying((index) => {
    const item = known[index];
    return item ? desk.sentences.channel(name, item, values[item.index] ?? 0) : "";
  });
}

// --- the whole life ------------------------------------------------------------------------------

function overviewSeries(desk: Desk, grid: number): Option[] {
  const { given, scale, colours } = desk;
  const { life } = given;
  let before = 0;
  const heights: [number, number, boolean][] = life.days.map((day, at) => {
    const n = life.n[at] ?? 0;
    const x = scale.by === "time" ? scale.x(day + HALF_A_DAY_MS) : before + (n + 1) / 2;
    before += n;
    const least = life.min[at] ?? null;
    const height = least == null ? LEAST_BAR : Math.max(-Math.log10(Math.max(least, LEAST_P)), LEAST_BAR);
    return [x, height, least != null && least <= given.unusual];
  });
  const bars = (isOdd: boolean, color: string) => ({
    xAxisIndex: grid,
    yAxisIndex: grid,
    type: "bar",
    name: say(given.words, "overview"),
    stack: "overview",
    large: true,
    largeThreshold: MOST_SIGNS,
    silent: true,
    data: heights.map(([x, height, odd]) => [x, odd === isOdd ? height : 0]),
    itemStyle: { color },
    barMinWidth: 1,
    barMaxWidth: 6,
    z: 1,
  });
  return [bars(false, colours.usual), bars(true, colours.odd)];
}
