/** Options of uPlot for one tag: band of minimum and maximum, mean, limit lines, alarm marks. */

import type uPlot from 'uplot';

import { rank } from '@/alarms/grades';
import type { Grade, Limit } from '@/api/types';
import { formatLimit } from '@/format/numbers';
import { pixelRatio } from '@/styles/enlarging';
import type { Mark } from '@/trend/marks';
import { valueRange, type Columns } from '@/trend/series';

export interface PlotInputs {
  width: number;
  height: number;
  columns: () => Columns;
  limits: () => readonly Limit[];
  marks: () => readonly Mark[];
  /** Milliseconds, first and last. */
  window: () => [number, number];
  /** Value of a CSS variable. */
  colour: (name: string) => string;
}

export function isLine(limit: Limit): boolean {
  return limit.kind === 'high' || limit.kind === 'low';
}

/** The second limits, HH and LL, are drawn through. */
export function isSecond(limit: Limit): boolean {
  return limit.level === 'HH' || limit.level === 'LL';
}

/** A limit across the plot, with its name on it, so many pixels from the left. */
export function drawLimit(plot: uPlot, limit: Limit, scale: string, colour: string, name: string, indent = 0): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const second = isSecond(limit);
  const y = plot.valToPos(limit.setpoint, scale, true);
  ctx.save();
  ctx.font = `${12 * ratio}px sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = (second ? 1.5 : 1) * ratio;
  ctx.setLineDash(second ? [] : [6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.fillText(`${name} ${formatLimit(limit.kind, limit.setpoint)}`, bbox.left + (6 + indent) * ratio, y - 2 * ratio);
  ctx.restore();
}

function drawLimits(plot: uPlot, inputs: PlotInputs): void {
  for (const limit of inputs.limits().filter(isLine)) {
    drawLimit(plot, limit, 'y', inputs.colour(isSecond(limit) ? '--text' : '--text-dim'), limit.key);
  }
}

export function drawMarks(plot: uPlot, inputs: Pick<PlotInputs, 'window' | 'marks' | 'colour'>): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const [first, last] = inputs.window();
  ctx.save();
  ctx.lineWidth = 2 * ratio;
  const gravestLast = [...inputs.marks()].sort((a, b) => rank(a.grade) - rank(b.grade));
  for (const mark of gravestLast) {
    if (mark.at < first || mark.at > last) continue;
    const x = plot.valToPos(mark.at / 1000, 'x', true);
    ctx.strokeStyle = inputs.colour(`--${mark.grade}`);
    ctx.fillStyle = ctx.strokeStyle;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.setLineDash([]);
    // As long as the condition had held by then.
    const since = Math.max(bbox.left, plot.valToPos((mark.at - mark.delay) / 1000, 'x', true));
    ctx.fillRect(since, bbox.top + 7 * ratio, x - since, 2 * ratio);
    sign(ctx, mark.grade, x, bbox.top + 8 * ratio, 6 * ratio);
  }
  ctx.restore();
}

/** The same shapes as the signs beside the alarms. */
function sign(ctx: CanvasRenderingContext2D, grade: Grade, x: number, y: number, size: number): void {
  ctx.beginPath();
  switch (grade) {
    case 'red':
      ctx.rect(x - size, y - size, 2 * size, 2 * size);
      break;
    case 'orange':
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y + size);
      ctx.lineTo(x - size, y + size);
      break;
    case 'yellow':
      ctx.moveTo(x, y - size);
      ctx.lineTo(x + size, y);
      ctx.lineTo(x, y + size);
      ctx.lineTo(x - size, y);
      break;
    case 'blue':
      ctx.arc(x, y, size, 0, 2 * Math.PI);
      break;
  }
  ctx.fill();
}

export function plotOptions(inputs: PlotInputs): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: inputs.colour('--text-dim'),
    grid: { stroke: inputs.colour('--edge'), width: 0.5 },
    ticks: { stroke: inputs.colour('--edge'), width: 0.5 },
  };
  const line = inputs.colour('--text');
  // Lowest and highest are lines themselves: a spike of one reading keeps its height, and crosses its limit.
  const edge: uPlot.Series = { stroke: inputs.colour('--text-dim'), width: 1, points: { show: false } };
  return {
    width: inputs.width,
    height: inputs.height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: { time: true, range: () => inputs.window().map((ms) => ms / 1000) as [number, number] },
      y: { range: () => valueRange(inputs.columns(), inputs.limits().filter(isLine).map((limit) => limit.setpoint)) },
    },
    axes: [{ ...axis, values: timeLabels, size: 30 }, { ...axis, size: 64 }],
    series: [
      {},
      edge,
      edge,
      { stroke: line, width: 1.5, points: { show: false } },
    ],
    bands: [{ series: [2, 1], fill: `${inputs.colour('--text-dim')}55` }],
    hooks: {
      draw: [
        (plot) => {
          drawLimits(plot, inputs);
          drawMarks(plot, inputs);
        },
      ],
    },
  };
}

/** The date where a day begins, else the time. */
export function timeLabels(_: uPlot, splits: number[], __: number, ___: number, step: number): string[] {
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    const two = (value: number): string => String(value).padStart(2, '0');
    const clock = `${two(at.getHours())}:${two(at.getMinutes())}`;
    if (step >= 86_400 || (step >= 60 && clock === '00:00')) return `${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    return step < 60 ? `${clock}:${two(at.getSeconds())}` : clock;
  });
}
