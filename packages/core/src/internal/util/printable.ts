/** Control and format characters, line separators, and halves of surrogate pairs: they forge lines or hide text in a log. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu

/** A text from elsewhere as it may stand in a log: in one line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ')
}
