// The charts of the timeline, one under the other on the same axis, as an option for ECharts.
//
// What comes in: what the server answered, the axis, the colours and the width. What goes out: the
// option, and the things that the keyboard stops at. Guaranteed: pure but for patterns; nothing is
// told by colour alone: kinds have symbols, line styles, patterns and words of their own.

import type { CustomSeriesRenderItem } from "echarts";
import type { EChartsCoreOption } from "echarts/core";

import { type Colours, faint, pattern } from "./colours";
import type { Scale } from "./scale";
import { type Doc, type Given, type Item, type Maybe, oneOf, say } from "./types";

const HEIGHTS = { p: 210, gate: 62, lanes: 126, evidence: 84, channel: 78, overview: 54 };
const BETWEEN = 34;
const TOP = 30;
const RIGHT = 18;
const LEAST_P = 0.001;
const SILENCE_MS = 36 * 3_600_000;
const LINES = ["dashed", "dotted", [8, 3, 2, 3], [2, 6], [12, 4]];
const SIGNS = ["emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond", "pin"];
const MOST_SIGNS = 150;
const ROWS = ["episodes", "diary", "moments", "model", "monitor"] as const;
const GATES = ["not_a_cry", "refused", "accepted"] as const;

type Option = Record<string, unknown>;

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
  language: string;
  view: { from: number; to: number };
  focus: number;
}

export function draw(desk: Desk): Drawn {
  const { doc, scale, colours, left } = desk;
  const names = ["p", "gate", "lanes", "evidence", ...doc.channels.map(() => "channel"), "overview"] as (keyof typeof HEIGHTS)[];
  const grids: Option[] = [];
  let top = TOP;
  names.forEach((name) => {
    grids.push({ top, height: HEIGHTS[name], left, right: RIGHT });
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
      formatter: (point: { data?: { said?: string }; name?: string }) => point.data?.said ?? "",
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
      formatter: scale.by === "time" ? (value: number) => tick(value, desk.language, doc) : (value: number) => (Number.isInteger(value) ? new Intl.NumberFormat(desk.language).format(value) : ""),
    },
    ...(scale.by === "number" ? { minInterval: 1 } : {}),
  };
}

function tick(wall: number, language: string, doc: Doc): string {
  const date = new Date(wall);
  const isMidnight = date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
  const spanDays = (doc.to - doc.from) / 86_400_000;
  const form: Intl.DateTimeFormatOptions = isMidnight
    ? { day: "numeric", month: "short", ...(spanDays > 300 && date.getUTCMonth() === 0 ? { year: "numeric" } : {}) }
    : { hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language, { ...form, timeZone: "UTC" }).format(date);
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
  const of = (wanted: (at: number) => boolean) =>
    items.filter((item) => item.p != null && wanted(item.index)).map((item) => ({ value: [item.x, bounded(item.p)], item: item.index, said: sentence(desk, item) }));
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
    { type: "scatter", name: oneOf(given.words, "gates", "accepted"), symbol: "circle", symbolSize: 9, itemStyle: { color: colours.usual, borderColor: colours.surface, borderWidth: 0.8 }, data: of((at) => singles.gate[at] === "accepted"), z: 4 },
    { type: "scatter", name: oneOf(given.words, "gates", "refused"), symbol: "diamond", symbolSize: 12, itemStyle: { color: colours.surface, borderColor: colours.usual, borderWidth: 1.8 }, data: of((at) => singles.gate[at] !== "accepted"), z: 4 },
    { type: "scatter", name: say(given.words, "reviewedIn"), symbol: "triangle", symbolSize: 8, symbolOffset: [0, -12], itemStyle: { color: colours.shift }, data: of(isReviewed), z: 5, silent: true },
  ];
}

function bucketSeries(desk: Desk, items: Item[]): Option[] {
  const { doc, colours, given } = desk;
  const buckets = doc.buckets;
  if (!buckets) return [];
  const told = (values: Maybe[]) =>
    items.map((item) => ({ value: [item.x, bounded(values[item.index] ?? null)], item: item.index, said: sentence(desk, item) }));
  const whiskers: CustomSeriesRenderItem = (_params, api) => {
    const x = Number(api.value(0));
    const [least, middle] = [api.coord([x, api.value(1)]), api.coord([x, api.value(2)])];
    return { type: "line", shape: { x1: least[0] ?? 0, y1: least[1] ?? 0, x2: middle[0] ?? 0, y2: middle[1] ?? 0 }, style: { stroke: faint(colours.field, 0.7), lineWidth: 1 } };
  };
  const both = items
    .filter((item) => item.p != null)
    .map((item) => ({ value: [item.x, bounded(buckets.min[item.index] ?? null), bounded(item.p)] }));
  return [
    { type: "custom", name: "whiskers", renderItem: whiskers, data: both, encode: { x: 0, y: [1, 2] }, silent: true, z: 1, clip: true },
    { type: "line", name: say(given.words, "sessions"), data: items.map((item) => [item.x, bounded(buckets.session[item.index] ?? null)]), showSymbol: false, silent: true, lineStyle: { color: colours.field, width: 1.4 }, z: 2 },
    ...scorerSeries(desk, (name) => items.map((item) => [item.x, bounded(buckets.scorers[name]?.[item.index] ?? null)])),
    { type: "scatter", name: say(given.words, "median"), symbol: "circle", symbolSize: 6, itemStyle: { color: colours.usual, borderColor: colours.surface, borderWidth: 0.6 }, data: told(buckets.median), z: 4 },
    { type: "scatter", name: say(given.words, "smallest"), symbol: "triangle", symbolSize: (value: number[]) => ((value[1] ?? 1) <= given.unusual ? 9 : 4), itemStyle: { color: colours.odd }, data: told(buckets.min), z: 3 },
  ];
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
    const marks = items
      .filter((item) => gate[item.index] !== "undecided")
      .map((item) => {
        const kind = gate[item.index] ?? "accepted";
        const [symbol, itemStyle] = symbols[kind] ?? ["circle", {}];
        const why = reasons[reason[item.index] ?? 0] ?? "";
        return { value: [item.x, GATES.indexOf(kind as (typeof GATES)[number])], symbol, itemStyle, item: item.index, said: `${sentence(desk, item)}\n${why}` };
      });
    const said = items
      .filter((item) => review[item.index] != null)
      .map((item) => ({ value: [item.x, review[item.index] ? 2 : 1], said: say(given.words, review[item.index] ? "reviewedIn" : "reviewedOut"), symbolRotate: review[item.index] ? 0 : 180 }));
    return [
      { ...axes, type: "scatter", name: say(given.words, "gate"), symbolSize: 8, data: marks },
      { ...axes, type: "scatter", name: say(given.words, "reviewedIn"), symbol: "triangle", symbolSize: 9, itemStyle: { color: colours.shift }, data: said, z: 4 },
    ];
  }
  const buckets = doc.buckets;
  if (!buckets) return [];
  const bar = (name: string, of: (at: number) => number, style: Option) => ({
    ...axes,
    type: "bar",
    stack: "gate",
    name,
    large: false,
    barMinWidth: 1,
    barMaxWidth: 14,
    itemStyle: style,
    data: items.map((item) => ({ value: [item.x, of(item.index)], item: item.index, said: sentence(desk, item) })),
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
    data: rows.map((one) => ({ value: [scale.x(one.t), row], said: one.label })),
  });
  return [
    { ...axes, type: "custom", name: say(desk.given.words, "episodes"), renderItem: episode, clip: true, encode: { x: [0, 1], y: 3 }, data: doc.episodes.map((one, at) => ({ value: [scale.x(one.began), scale.x(one.end), at, 0], said: one.words })) },
    { ...axes, type: "custom", name: say(desk.given.words, "diary"), renderItem: note, clip: true, encode: { x: [0, 1], y: 3 }, data: doc.notes.map((one, at) => ({ value: [scale.x(one.t), scale.x(one.end), at, isLong(one) ? 1 : 2], said: one.label })) },
    moments(doc.versions, 3, "rect", [2, 13]),
    {
      ...moments(doc.monitors, 4, "arrow", 13),
      itemStyle: { color: colours.ink },
      symbolRotate: -90,
      label: { show: true, position: "right", color: colours.ink, fontSize: 11, formatter: (point: { data: { said: string } }) => point.data.said },
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
  const day = new Intl.DateTimeFormat(desk.language, { day: "numeric", month: "short", timeZone: "UTC" });
  const said = (at: number) => `${day.format(scale.by === "time" ? scale.x(doc.watched.t[at] ?? 0) : (doc.watched.t[at] ?? 0))}: ${doc.watched.highest[at]} (${doc.threshold})`;
  const points = doc.watched.t.map((t, at) => ({ value: [scale.x(t), doc.watched.highest[at]], said: said(at) }));
  const over = points.filter((point) => Number(point.value[1]) >= doc.threshold);
  const moved = points.filter((_, at) => doc.watched.moved[at]).map((point, _at) => ({ ...point, said: say(given.words, "room") }));
  return [
    {
      ...axes,
      type: "line",
      name: say(given.words, "evidence"),
      data: points,
      symbol: "circle",
      symbolSize: 4,
      lineStyle: { color: colours.usual, width: 1.4 },
      itemStyle: { color: colours.usual },
      markLine: { silent: true, symbol: "none", lineStyle: { color: colours.shift, type: [6, 4], width: 1.4 }, label: { formatter: say(given.words, "threshold"), position: "insideStartTop", color: colours.shift, fontSize: 11 }, data: [{ yAxis: doc.threshold }] },
    },
    { ...axes, type: "scatter", name: say(given.words, "threshold"), symbol: "triangle", symbolSize: 10, itemStyle: { color: colours.shift }, data: over, z: 4 },
    { ...axes, type: "scatter", name: say(given.words, "room"), symbol: "rect", symbolSize: [3, 18], itemStyle: { color: colours.quiet }, data: moved, z: 3 },
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
    const points = items
      .filter((item) => values[item.index] != null)
      .map((item) => {
        const value = values[item.index] as number;
        return { value: [item.x, value], item: item.index, said: channelSaid(desk, item, name, value), symbol: isOutside(value) ? "diamond" : "circle", symbolSize: isOutside(value) ? 8 : 5, itemStyle: { color: isOutside(value) ? colours.odd : colours.usual } };
      });
    return [{ ...axes, type: "scatter", name: label, data: points, markArea: band }];
  }
  const found = doc.buckets?.channels[name];
  if (!found) return [];
  const [low, middle, high] = found;
  const spread: CustomSeriesRenderItem = (_params, api) => {
    const x = Number(api.value(0));
    const [a, b] = [api.coord([x, api.value(1)]), api.coord([x, api.value(2)])];
    return { type: "line", shape: { x1: a[0] ?? 0, y1: a[1] ?? 0, x2: b[0] ?? 0, y2: b[1] ?? 0 }, style: { stroke: faint(colours.usual, 0.5), lineWidth: 2 } };
  };
  const present = items.filter((item) => middle[item.index] != null);
  return [
    { ...axes, type: "custom", name: `${label} spread`, renderItem: spread, silent: true, encode: { x: 0, y: [1, 2] }, data: present.map((item) => [item.x, low[item.index], high[item.index]]), clip: true },
    { ...axes, type: "line", name: label, showSymbol: present.length < 120, symbol: "circle", symbolSize: 4, lineStyle: { color: colours.usual, width: 1.4 }, itemStyle: { color: colours.usual }, data: present.map((item) => ({ value: [item.x, middle[item.index]], item: item.index, said: channelSaid(desk, item, name, middle[item.index] as number) })), markArea: band },
  ];
}

function channelSaid(desk: Desk, item: Item, name: string, value: number): string {
  const facts = desk.given.channels[name];
  const shown = new Intl.NumberFormat(desk.language, { maximumFractionDigits: facts?.places ?? 1 }).format(value);
  return `${timeWords(desk, item.at)}: ${facts?.label ?? name} ${shown} ${facts?.unit ?? ""}`;
}

// --- the whole life ------------------------------------------------------------------------------

function overviewSeries(desk: Desk, grid: number): Option[] {
  const { given, scale, colours } = desk;
  const { life } = given;
  let before = 0;
  const bars = life.days.map((day, at) => {
    const n = life.n[at] ?? 0;
    const x = scale.by === "time" ? scale.x(day + 43_200_000) : before + (n + 1) / 2;
    before += n;
    const least = life.min[at];
    const isUnusual = least != null && least <= given.unusual;
    return { value: [x, least == null ? 0.12 : Math.max(-Math.log10(Math.max(least, LEAST_P)), 0.12)], itemStyle: { color: isUnusual ? colours.odd : colours.usual } };
  });
  return [{ xAxisIndex: grid, yAxisIndex: grid, type: "bar", name: say(given.words, "overview"), silent: true, data: bars, barMinWidth: 1, barMaxWidth: 6, z: 1 }];
}

// --- words ---------------------------------------------------------------------------------------

export function timeWords(desk: Pick<Desk, "language"> & { given: Given }, ms: number): string {
  const zone = zoneOf();
  return new Intl.DateTimeFormat(desk.language, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(ms));
}

function zoneOf(): string {
  return document.querySelector<HTMLElement>("[data-timeline]")?.dataset.zone ?? "UTC";
}

export function pWords(desk: Pick<Desk, "language"> & { given: Given }, p: Maybe): string {
  if (p == null) return "–";
  if (p < LEAST_P) return say(desk.given.words, "below");
  return new Intl.NumberFormat(desk.language, { maximumFractionDigits: 3 }).format(p);
}

/** What is said of a recording, or of a sum, where it is pointed at or reached by the keyboard. */
export function sentence(desk: Pick<Desk, "language" | "doc"> & { given: Given }, item: Item): string {
  const { doc, given } = desk;
  const time = timeWords(desk, item.at);
  if (doc.singles) {
    const gate = oneOf(given.words, "gates", doc.singles.gate[item.index] ?? "");
    const number = doc.singles.n[item.index];
    if (item.p == null || number == null) return say(given.words, "unscored", { time, gate });
    return say(given.words, "recording", { number, time, p: pWords(desk, item.p), gate });
  }
  const buckets = doc.buckets;
  const n = buckets?.n[item.index] ?? 0;
  if (item.p == null) return say(given.words, "empty", { time, n });
  return say(given.words, "bucket", { time, n, p: pWords(desk, item.p), least: pWords(desk, buckets?.min[item.index] ?? null), accepted: buckets?.accepted[item.index] ?? 0 });
}
