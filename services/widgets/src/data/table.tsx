import type { ComponentChildren } from "preact";

/** A column's heading; numbers stand right. */
export interface Column {
  readonly head: string;
  readonly isNumber?: boolean;
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly children: ComponentChildren;
}

/** A table that scrolls by itself where there is no room for it, by keyboard too. */
export function Table({ caption, columns, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: sections look like parts of the page
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever cannot point at it scrolls it with the arrow keys
    <div class="wide" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ head, isNumber }) => (
              <th key={head} scope="col" class={isNumber ? "number" : undefined}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        {children}
      </table>
    </div>
  );
}
