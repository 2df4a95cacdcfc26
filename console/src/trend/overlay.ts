/** Several tags in one plot of uPlot: a scale per engineering unit, a pen per tag, limits, marks, quality. */

import uPlot from 'uplot';

import type { Limit, Tag } from '@/api/types';
import { formatUnit } from '@/format/numbers';
import { pixelRatio } from '@/styles/enlarging';
import { doubtsOf, lonelyRows, type Line } from '@/trend/lines';
import type { Mark } from '@/trend/marks';
import { drawLimit, drawMarks, isLine, timeLabels } from '@/trend/plot';
import { valueRange } from '@/trend/series';

export interface Pen {
  /** 1 to 8: its colour, its dashes, and its name on the plot. */
  number: number;
  tag: Tag;
  line: Line;
  marks: readonly Mark[];
}

export interface OverlayInputs {
  width: number;
  height: number;
  colour: (name: string) => string;
  pens: () => readonly Pen[];
  limits: () => boolean;
  /** First and last instant, ms. */
  window: () => [number, number];
  zoom: (window: [number, number]) => void;
}

const AXIS_PX = 62;
/** As uPlot numbers them. */
const RIGHT = 1;
const LEFT = 3;
const LANE_PX = 9;
/** Names of limits of several pens stand beside each other. */
const NAME_PX = 90;
const DASHES = [[], [], [8, 4], [8, 4], [2, 3], [2, 3], [10, 3, 2, 3], [10, 3, 2, 3]];

function isRaw({ line }: Pen): boolean {
  return line.step === 0;
}

/** A unit may be called anything, also as a scale of uPlot's own. */
function scaleOf(unit: string): string {
  return `in ${unit}`;
}

/** Units in the order of the pens: each has a scale of its own. */
export function unitsOf(pens: readonly Pen[]): string[] {
  return [...new Set(pens.map(({ tag }) => tag.engineering_unit))];
}

/** Changes with it are more than other data: which pens there are, and what each consists of. */
export function shapeOf(pens: readonly Pen[]): string {
  return JSON.stringify(pens.map((pen) => [pen.tag.enterprise, pen.tag.tag, pen.tag.engineering_unit, isRaw(pen)]));
}

/** Columns of all pens over one column of time. Where only others have a row it is undefined, which breaks no line. */
export function joined(pens: readonly Pen[]): uPlot.AlignedData {
  const tables = pens.map<uPlot.AlignedData>((pen) =>
    isRaw(pen) ? [pen.line.t, pen.line.mean] : [pen.line.t, pen.line.min, pen.line.max, pen.line.mean],
  );
  const [only] = tables;
  if (only === undefined) return [[]];
  return tables.length === 1 ? only : uPlot.join(tables);
}

/** Limits that are lines, of pens of a unit or of all. */
function limitsOf(pens: readonly Pen[], unit?: string): { pen: Pen; limit: Limit }[] {
  return pens
    .filter(({ tag }) => unit === undefined || tag.engineering_unit === unit)
    .flatMap((pen) => pen.tag.limits.filter(isLine).map((limit) => ({ pen, limit })));
}

/** Range of a unit's scale: all that its pens draw, and their limits where these are drawn. */
export function rangeOf(pens: readonly Pen[], unit: string, limits: boolean): [number, number] {
  const lines = pens.filter(({ tag }) => tag.engineering_unit === unit).map(({ line }) => line);
  const setpoints = limits ? limitsOf(pens, unit).map(({ limit }) => limit.setpoint) : [];
  const ends: number[] = [];
  for (const { t, min, max, mean } of lines) {
    if (t.length > 0) ends.push(...valueEnds(min, max, mean));
  }
  return valueRange([[], ends, ends, []], setpoints);
}

/** Lowest and highest without a copy of the columns: they may be long. */
function valueEnds(...columns: readonly (readonly (number | null)[])[]): number[] {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (const value of column) {
      if (value === null) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low > high ? [] : [low, high];
}

function seriesOf(pen: Pen, colour: (name: string) => string): uPlot.Series[] {
  const scale = scaleOf(pen.tag.engineering_unit);
  const stroke = colour(`--pen-${pen.number}`);
  const mean: uPlot.Series = { scale, stroke, width: 1.5, dash: DASHES[pen.number - 1] ?? [], points: { show: false } };
  if (isRaw(pen)) return [mean];
  // Lowest and highest are lines themselves, so that a spike of one reading keeps its full height and colour.
  const edge: uPlot.Series = { scale, stroke: `${stroke}a0`, width: 1, points: { show: false } };
  return [edge, edge, mean];
}

function bandsOf(pens: readonly Pen[], colour: (name: string) => string): uPlot.Band[] {
  const bands: uPlot.Band[] = [];
  let first = 1;
  for (const pen of pens) {
    if (!isRaw(pen)) bands.push({ series: [first + 1, first], fill: `${colour(`--pen-${pen.number}`)}40` });
    first += isRaw(pen) ? 1 : 3;
  }
  return bands;
}

function drawPoints(plot: uPlot, pen: Pen, colour: string): void {
  const { ctx } = plot;
  const { t, mean } = pen.line;
  const ratio = pixelRatio();
  ctx.fillStyle = colour;
  for (const row of lonelyRows(pen.line)) {
    const x = plot.valToPos(t[row] ?? 0, 'x', true);
    const y = plot.valToPos(mean[row] ?? 0, scaleOf(pen.tag.engineering_unit), true);
    ctx.beginPath();
    ctx.arc(x, y, 2 * ratio, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** The pen's number at its newest value, so that a line is told from another without its colour. */
function drawNumber(plot: uPlot, pen: Pen, colour: string, paper: string, [, last]: [number, number]): void {
  const { ctx, bbox } = plot;
  const { t, mean } = pen.line;
  let row = t.length - 1;
  while (row >= 0 && ((mean[row] ?? null) === null || (t[row] ?? 0) * 1000 > last)) row -= 1;
  if (row < 0) return;
  const ratio = pixelRatio();
  const size = 8 * ratio;
  const x = Math.min(plot.valToPos(t[row] ?? 0, 'x', true), bbox.left + bbox.width) - size * (1 + 2 * ((pen.number - 1) % 3));
  if (x < bbox.left) return;
  const y = plot.valToPos(mean[row] ?? 0, scaleOf(pen.tag.engineering_unit), true);
  ctx.fillStyle = paper;
  ctx.fillRect(x - size, y - size, 2 * size, 2 * size);
  ctx.strokeStyle = colour;
  ctx.setLineDash([]);
  ctx.lineWidth = ratio;
  ctx.strokeRect(x - size, y - size, 2 * size, 2 * size);
  ctx.fillStyle = colour;
  ctx.font = `bold ${12 * ratio}px sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.fillText(String(pen.number), x, y);
}

/** A lane per pen at the foot of the plot, filled where the quality was bad and hollow where it was uncertain. */
function drawDoubts(plot: uPlot, pens: readonly Pen[], colour: (name: string) => string): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const height = LANE_PX * ratio;
  let top = bbox.top + bbox.height - height;
  ctx.fillStyle = colour('--yellow');
  ctx.strokeStyle = ctx.fillStyle;
  ctx.lineWidth = ratio;
  ctx.setLineDash([]);
  ctx.font = `${10 * ratio}px sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'middle';
  for (const pen of pens) {
    const doubts = doubtsOf(pen.line);
    if (doubts.length === 0) continue;
    for (const { from, to, bad } of doubts) {
      const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
      const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
      if (right < bbox.left || left > bbox.left + bbox.width) continue;
      const width = Math.max(right - left, 2 * ratio);
      if (bad) ctx.fillRect(left, top + 2 * ratio, width, height - 3 * ratio);
      else ctx.strokeRect(left, top + 2.5 * ratio, width, height - 4 * ratio);
    }
    ctx.fillText(String(pen.number), bbox.left + 2 * ratio, top + height / 2);
    top -= height;
  }
}

function drawAll(plot: uPlot, inputs: OverlayInputs): void {
  const pens = inputs.pens();
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  if (inputs.limits()) {
    const many = pens.length > 1;
    for (const { pen, limit } of limitsOf(pens)) {
      const name = many ? `${pen.number}: ${limit.key}` : limit.key;
      drawLimit(
        plot,
        limit,
        scaleOf(pen.tag.engineering_unit),
        inputs.colour(`--pen-${pen.number}`),
        name,
        (pen.number - 1) * NAME_PX,
      );
    }
  }
  drawMarks(plot, { window: inputs.window, colour: inputs.colour, marks: () => pens.flatMap(({ marks }) => marks) });
  for (const pen of pens) drawPoints(plot, pen, inputs.colour(`--pen-${pen.number}`));
  drawDoubts(plot, pens, inputs.colour);
  for (const pen of pens) {
    drawNumber(plot, pen, inputs.colour(`--pen-${pen.number}`), inputs.colour('--surface'), inputs.window());
  }
  ctx.restore();
}

export function overlayOptions(inputs: OverlayInputs): uPlot.Options {
  const { colour } = inputs;
  const pens = inputs.pens();
  const units = unitsOf(pens);
  const axis: uPlot.Axis = {
    stroke: colour('--text-dim'),
    ticks: { stroke: colour('--edge'), width: 0.5 },
  };
  const grid = { stroke: colour('--edge'), width: 0.5 };
  return {
    width: inputs.width,
    height: inputs.height,
    legend: { show: false },
    cursor: { drag: { x: true, y: false, setScale: false }, y: false },
    scales: {
      x: { time: true, range: () => inputs.window().map((ms) => ms / 1000) as [number, number] },
      ...Object.fromEntries(
        units.map((unit) => [scaleOf(unit), { range: (): [number, number] => rangeOf(inputs.pens(), unit, inputs.limits()) }]),
      ),
    },
    axes: [
      { ...axis, grid, values: timeLabels, size: 30 },
      ...units.map<uPlot.Axis>((unit, index) => ({
        ...axis,
        scale: scaleOf(unit),
        // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enumeration exists in the types only
        side: index % 2 === 0 ? LEFT : RIGHT,
        size: AXIS_PX,
        label: formatUnit(unit),
        labelSize: 16,
        grid: { ...grid, show: index === 0 },
      })),
    ],
    series: [{}, ...pens.flatMap((pen) => seriesOf(pen, colour))],
    bands: bandsOf(pens, colour),
    hooks: {
      draw: [
        (plot) => {
          drawAll(plot, inputs);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width <= 2) return;
          inputs.zoom([plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}
