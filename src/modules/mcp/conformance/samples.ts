/** The smallest image and sound that are valid. */

/** A PNG of one pixel. */
export const IMAGE = {
  data: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  mimeType: 'image/png',
} as const;

/** A WAV without a sample. */
export const SOUND = {
  data: 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=',
  mimeType: 'audio/wav',
} as const;

export const text = (value: string) => ({ type: 'text' as const, text: value });
