// The icons: drawn on a 20 × 20 grid with one stroke, in the colour of the text around them.
import type { ReactNode } from "react";

const ICONS = {
  sidebar: <path d="M3.5 4.5h13v11h-13zM8 4.5v11" />,
  bold: <path d="M6.5 4.5h4.2a2.7 2.7 0 0 1 0 5.4H6.5zM6.5 9.9h5a2.8 2.8 0 0 1 0 5.6h-5z" strokeWidth="1.9" />,
  italic: <path d="M8.5 4.5h5M6.5 15.5h5M11.4 4.5l-2.8 11" />,
  underline: <path d="M6 4v5.2a4 4 0 0 0 8 0V4M5 16.5h10" />,
  strike: (
    <path d="M13.500 6.500c-.5-1.400-1.800-2.200-3.500-2.200-2 0-3.500 1.100-3.500 2.700 0 1.500 1.300 2.200 3.500 2.800 2.300.6 3.700 1.400 3.700 3.100 0 1.700-1.600 2.800-3.700 2.800-1.900 0-3.400-.9-3.900-2.500M3.500 10h13" />
  ),
  dual: <path d="M3.5 6h5M3.5 10h5M3.5 14h3.5M11.5 6h5M11.5 10h5M11.5 14H15" />,
  undo: <path d="M7 5 3.5 8.5 7 12M4 8.5h7.5a4 4 0 0 1 0 8H8" />,
  redo: <path d="M13 5l3.5 3.5L13 12M16 8.5H8.500a4 4 0 0 0 0 8H12" />,
  sun: (
    <path d="M10 6.700a3.3 3.3 0 1 0 0 6.6 3.3 3.3 0 0 0 0-6.600M10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100M14.6 14.600l1.1 1.100M4.3 15.700l1.1-1.100M14.6 5.400l1.1-1.1" />
  ),
  moon: <path d="M15.8 12.300A6.3 6.3 0 0 1 7.7 4.200a6.3 6.3 0 1 0 8.1 8.100z" />,
  more: <path d="M5 10h.01M10 10h.01M15 10h.01" strokeWidth="2.4" />,
  plus: <path d="M10 4.500v11M4.5 10h11" />,
  up: <path d="M5.5 12 10 7.5l4.5 4.5" />,
  down: <path d="M5.5 8 10 12.5 14.5 8" />,
  close: <path d="M5.5 5.500l9 9M14.5 5.500l-9 9" />,
  history: <path d="M4 10a6 6 0 1 0 1.9-4.400L4 7.300M4 3.800v3.500h3.500M10 6.800V10l2.4 1.5" />,
  note: <path d="M4 4.500h12v8.500H9.500L6 16v-3H4zM7 7.500h6M7 10h4" />,
  check: <path d="M4.5 10.500l3.5 3.5 7.5-8" />,
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof ICONS;

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round">
        {ICONS[name]}
      </g>
    </svg>
  );
}
