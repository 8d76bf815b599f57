import encodeQR from "qr";

interface QrCodeProps {
  readonly text: string;
  readonly label: string;
}

/** A QR code (ISO/IEC 18004) as a picture: dark on light in every colour scheme, since many readers know no other. */
export function QrCode({ text, label }: QrCodeProps) {
  const rows = encodeQR(text, "raw", { border: 4 });
  const path = rows.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
  return (
    <svg
      class="qr"
      role="img"
      aria-label={label}
      viewBox={`0 0 ${rows.length} ${rows.length}`}
      shape-rendering="crispEdges"
    >
      <path d={path} />
    </svg>
  );
}
