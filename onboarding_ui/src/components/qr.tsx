/** The box draws its own QR codes; as a picture they cannot run anything. */
export function Qr({ svg, label }: { svg: string; label: string }) {
  return (
    <img
      alt={label}
      src={`data:image/svg+xml;utf8,${encodeURIComponent(svg)}`}
      className="size-44 rounded-control bg-white p-1"
    />
  );
}
