/** A moment in a query or a body: ISO 8601, and handed on in one form, since databases read fewer forms than the standard has. */
import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { isISO8601, ValidateBy } from 'class-validator';

/** RFC 3339 §5.6, where the time, its seconds and its zone (then that of the server) may be left out. */
const FORM = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
/** As JavaScript writes it, in a year that every database knows. */
const UTC = /^(?!0000)\d{4}-.*Z$/;

/** A field that holds a date, which is its first moment, or a time; the handler gets it in UTC, with milliseconds. */
export function IsTime(): PropertyDecorator {
  const message = '$property must be a date or time of ISO 8601, such as 2026-02-03 or 2026-02-03T10:00:00Z';
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => utc(value) ?? value),
    ValidateBy({
      name: 'isTime',
      validator: { validate: (value) => utc(value) !== undefined, defaultMessage: () => message },
    }),
  );
}

function utc(value: unknown): string | undefined {
  if (typeof value !== 'string' || !FORM.test(value) || !isISO8601(value, { strict: true })) return undefined;
  const time = Date.parse(value);
  if (Number.isNaN(time)) return undefined;
  const text = new Date(time).toISOString();
  return UTC.test(text) ? text : undefined;
}
