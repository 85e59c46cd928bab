// Numbers for people.

/** 1234567 -> '1,234,567' */
export function countText(count: number): string {
  // toLocaleString would load the locale data of ICU for it: 20 ms.
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1536 -> '1.5 KiB' */
export function byteText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < UNITS.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 850 -> '0.9 s', 75_000 -> '1 min 15 s' */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const INTERVALS = [
  ['d', 86_400_000, 2],
  ['h', 3_600_000, 1],
  ['m', 60_000, 1],
  ['s', 1_000, 1],
] as const;

/** As in the configuration: `24h`, `7d`, `90s`. */
export function intervalText(ms: number): string {
  const unit = INTERVALS.find(([, size, least]) => ms % size === 0 && ms >= least * size);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

/** 'drift' -> 'no drift', '1 drift', '3 drifts' */
export function pluralText(count: number, noun: string, plural = `${noun}s`): string {
  return `${count === 0 ? 'no' : countText(count)} ${count === 1 ? noun : count === 0 && noun === 'drift' ? noun : plural}`;
}
