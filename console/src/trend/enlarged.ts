/** Options of a plot with its axes and lines so many times as large. What it draws itself goes by `pixelRatio`. */

import type uPlot from 'uplot';

/** Pixels that uPlot takes where options are silent. */
const AXIS = { size: 50, labelSize: 30, gap: 5, ticks: 10, time: 50, values: 30 };

export function enlarged(options: uPlot.Options, scale: number): uPlot.Options {
  const font = `${12 * scale}px sans-serif`;
  return {
    ...options,
    axes: (options.axes ?? []).map((axis, index) => ({
      ...axis,
      font,
      labelFont: font,
      size: (typeof axis.size === 'number' ? axis.size : AXIS.size) * scale,
      labelSize: (axis.labelSize ?? AXIS.labelSize) * scale,
      gap: AXIS.gap * scale,
      space: (index === 0 ? AXIS.time : AXIS.values) * scale,
      ticks: { ...axis.ticks, size: AXIS.ticks * scale },
    })),
    series: options.series.map((series) => ({
      ...series,
      width: (series.width ?? 1) * scale,
      dash: (series.dash ?? []).map((length) => length * scale),
    })),
  };
}
