/** The tuning page's trend: what `trend/plot` draws, with lanes of the alarms before and after below it. */

import type uPlot from 'uplot';

import { merged, type Bar, type Lanes } from '@/tuning/episodes';
import { dateOf, timeOfDay } from '@/format/time';
import { pixelRatio } from '@/styles/enlarging';
import { plotOptions, type PlotInputs } from '@/trend/plot';

/** Pixels of one lane and of the air around it. */
const LANE = 13;
const AIR = 5;
const LANES_HEIGHT = 2 * LANE + 3 * AIR;
/** An alarm of seconds within weeks is still seen, and many of them are one bar. */
const LEAST = 3;

export interface TuningPlotInputs extends Omit<PlotInputs, 'limits' | 'marks'> {
  axis: () => [number, number];
  lanes: () => Lanes;
  names: () => { before: string; after: string };
  zoom: (window: [number, number]) => void;
  drawn: (plot: uPlot) => void;
}

/** Part of the plot's height that the lanes take. */
export function laneShare(plotHeight: number): number {
  return LANES_HEIGHT / Math.max(plotHeight, 2 * LANES_HEIGHT);
}

function drawBars(plot: uPlot, bars: readonly Bar[], top: number, height: number, style: (bar: Bar) => void): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const placed = bars.map((bar) => ({
    ...bar,
    begin: plot.valToPos(bar.begin / 1000, 'x', true),
    end: plot.valToPos(bar.end / 1000, 'x', true),
  }));
  for (const bar of merged(placed, bbox.left, bbox.left + bbox.width, LEAST * ratio)) {
    style(bar);
    ctx.beginPath();
    ctx.rect(bar.begin, top, bar.end - bar.begin, height);
    ctx.fill();
    if (bar.only) ctx.stroke();
  }
}

/** Behind the curve: when the rule would be in alarm. */
function drawShade(plot: uPlot, inputs: TuningPlotInputs): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.fillStyle = `${inputs.colour('--text')}1f`;
  const shade = inputs.lanes().after.map((bar) => ({ ...bar, only: false }));
  drawBars(plot, shade, bbox.top, bbox.height - LANES_HEIGHT * pixelRatio(), () => undefined);
  ctx.restore();
}

function drawLanes(plot: uPlot, inputs: TuningPlotInputs): void {
  const { ctx, bbox } = plot;
  const ratio = pixelRatio();
  const { before, after } = inputs.lanes();
  const names = inputs.names();
  const first = bbox.top + bbox.height - (LANES_HEIGHT - AIR) * ratio;
  const second = first + (LANE + AIR) * ratio;
  ctx.save();
  ctx.lineWidth = 1.5 * ratio;
  ctx.font = `${12 * ratio}px sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'middle';
  const hollow = inputs.colour('--surface');
  const both = inputs.colour('--text-dim');
  const lane = (bars: readonly Bar[], top: number, name: string, only: string, filled: boolean): void => {
    ctx.fillStyle = inputs.colour('--text-dim');
    ctx.fillText(name, bbox.left - 8 * ratio, top + (LANE / 2) * ratio);
    ctx.fillStyle = inputs.colour('--surface-raised');
    ctx.fillRect(bbox.left, top, bbox.width, LANE * ratio);
    drawBars(plot, bars, top, LANE * ratio, (bar) => {
      ctx.strokeStyle = only;
      ctx.fillStyle = bar.only ? (filled ? only : hollow) : both;
    });
  };
  lane(before, first, names.before, inputs.colour('--text'), false);
  lane(after, second, names.after, inputs.colour('--text'), true);
  ctx.restore();
}

export function tuningOptions(inputs: TuningPlotInputs): uPlot.Options {
  const options = plotOptions({ ...inputs, limits: () => [], marks: () => [] });
  const [time, value] = options.axes ?? [];
  return {
    ...options,
    cursor: { drag: { x: true, y: false, dist: 8, setScale: false }, y: false },
    scales: { ...options.scales, y: { range: inputs.axis } },
    axes: [
      { ...time, values: (_, splits) => timeLabels(splits) },
      // The lanes have no values: below them the axis stays empty.
      { ...value, values: (plot, splits) => splits.map((each) => (isInLanes(plot, each) ? '' : String(Number(each.toPrecision(9))))) },
    ],
    hooks: {
      drawClear: [
        (plot) => {
          drawShade(plot, inputs);
        },
      ],
      draw: [
        (plot) => {
          drawLanes(plot, inputs);
          inputs.drawn(plot);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width <= 0) return;
          inputs.zoom([plot.posToVal(left, 'x') * 1000, plot.posToVal(left + width, 'x') * 1000]);
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
    },
  };
}

function isInLanes(plot: uPlot, value: number): boolean {
  const height = plot.bbox.height - LANES_HEIGHT * pixelRatio();
  return plot.valToPos(value, 'y', true) > plot.bbox.top + height;
}

/** The date where a day begins, else the time. */
function timeLabels(splits: readonly number[]): string[] {
  const days = new Set(splits.map((seconds) => dateOf(seconds * 1000)));
  return splits.map((seconds) => {
    const clock = timeOfDay(seconds * 1000);
    if (clock === '00:00:00' && days.size > 1) return dateOf(seconds * 1000).slice(5);
    return clock.endsWith(':00') ? clock.slice(0, 5) : clock;
  });
}
