/**
 * A Markdown table whose columns are aligned for reading as text too: the first two to the left, the others right.
 * @param {readonly string[]} head
 * @param {readonly (readonly (string | number)[])[]} rows
 * @returns {string}
 */
export function table(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(3, ...lines.map((line) => line[column].length)))
  const isLeft = (column) => column < 2
  const pad = (cell, column) => (isLeft(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
  const rule = widths.map((width, column) => (isLeft(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  const [first, ...others] = lines.map((line) => line.map(pad))
  return [first, rule, ...others].map((line) => `| ${line.join(' | ')} |`).join('\n')
}
