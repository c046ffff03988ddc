/** A flat line shall not look like a mountain: the scale spans at least this share of the value. */
const LEAST_SPAN = 0.1;

export interface Frame {
  width: number;
  height: number;
  /** Room above and below the line, for its own breadth. */
  edge: number;
}

interface Scale {
  low: number;
  span: number;
}

function scaleOf(values: number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const span = Math.max(most - least, Math.abs(most) * LEAST_SPAN, 1e-9);
  return { low: (least + most - span) / 2, span };
}

/** The line through all values, as an SVG path; where one is missing the line is broken. */
export function lineThrough(values: (number | null)[], { width, height, edge }: Frame): string {
  const { low, span } = scaleOf(values.filter((value) => value !== null));
  const step = width / Math.max(1, values.length - 1);
  let isDown = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDown = false;
        return "";
      }
      const y = height - edge - ((value - low) / span) * (height - 2 * edge);
      const word = `${isDown ? "L" : "M"}${(index * step).toFixed(1)} ${y.toFixed(1)}`;
      isDown = true;
      return word;
    })
    .join("");
}
