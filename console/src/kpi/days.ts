/** Alarms by day as bars: all in grey, those of orange and red before them in their colours. */

import uPlot from 'uplot';

import type { KeyFigures } from '@/api/types';
import { pixelRatio } from '@/styles/enlarging';
import type { PlotInputs } from '@/trend/plot';

const DAY_S = 86_400;
const TEN_MINUTES_A_DAY = 144;
/** What the name of a day takes. */
const NAME_PX = 60;

export type Day = KeyFigures['per_day'][number];

export function total(day: Day): number {
  return day.blue + day.yellow + day.orange + day.red;
}

/** Middle of each day (s), all alarms, those of orange and red, those of red. */
export function columnsOf(days: readonly Day[]): [number[], number[], number[], number[]] {
  return [
    days.map((day) => Date.parse(day.start) / 1000 + DAY_S / 2),
    days.map(total),
    days.map((day) => day.orange + day.red),
    days.map((day) => day.red),
  ];
}

/** Alarms a day that the target allows. */
export function allowed(perTenMinutes: number): number {
  return perTenMinutes * TEN_MINUTES_A_DAY;
}

/** Days that are named: the first and others at even distances, `most` at most. */
export function spread<Each>(days: readonly Each[], most: number): Each[] {
  const step = Math.max(1, Math.ceil(days.length / Math.max(1, most)));
  return days.filter((_, index) => index % step === 0);
}

/** The date that a day begins on; given its middle (s). */
function label(middle: number): string {
  const at = new Date((middle - DAY_S / 2) * 1000);
  return `${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

export interface DaysInputs extends Pick<PlotInputs, 'width' | 'height' | 'colour'> {
  days: () => readonly Day[];
  target: () => number;
  /** Words on the line of the target. */
  named: () => string;
}

function drawTarget(plot: uPlot, inputs: DaysInputs): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const y = plot.valToPos(inputs.target(), 'y', true);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = inputs.colour('--text');
  ctx.lineWidth = ratio;
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${12 * ratio}px sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText(inputs.named(), bbox.left + 6 * ratio, y - 2 * ratio);
  ctx.restore();
}

export function daysOptions(inputs: DaysInputs): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: inputs.colour('--text-dim'),
    grid: { show: false },
    ticks: { stroke: inputs.colour('--edge'), width: 0.5 },
  };
  const bars = (name: string): uPlot.Series => ({
    fill: inputs.colour(name),
    stroke: inputs.colour(name),
    width: 0,
    points: { show: false },
    paths: uPlot.paths.bars?.({ size: [0.7, 60] }) ?? ((): null => null),
  });
  return {
    width: inputs.width,
    height: inputs.height,
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: {
      x: {
        time: true,
        range: () => {
          const starts = inputs.days().map((day) => Date.parse(day.start) / 1000);
          return [starts[0] ?? 0, (starts.at(-1) ?? 0) + DAY_S];
        },
      },
      y: { range: (_, __, most) => [0, Math.max(most, inputs.target()) * 1.15] },
    },
    axes: [
      {
        ...axis,
        splits: (plot) => spread(columnsOf(inputs.days())[0], plot.bbox.width / pixelRatio() / NAME_PX),
        values: (_, splits) => splits.map(label),
        size: 30,
      },
      { ...axis, grid: { stroke: inputs.colour('--edge'), width: 0.5 }, size: 56 },
    ],
    series: [{}, bars('--text-dim'), bars('--orange'), bars('--red')],
    hooks: {
      draw: [
        (plot) => {
          drawTarget(plot, inputs);
        },
      ],
    },
  };
}
