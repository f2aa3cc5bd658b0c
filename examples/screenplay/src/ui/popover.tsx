// A button that opens a small panel under it; Escape or a click elsewhere closes it and the button has the focus again.
import { type ReactNode, useEffect, useId, useRef, useState } from "react";

export interface PopoverProps {
  label: string;
  /** What the button shows. */
  button: ReactNode;
  className?: string;
  /** The panel; `close` is for what is chosen in it. */
  children: (close: () => void) => ReactNode;
}

export function Popover({ label, button, className = "tool", children }: PopoverProps): ReactNode {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  const trigger = useRef<HTMLButtonElement>(null);
  const id = useId();
  const close = () => {
    setOpen(false);
    trigger.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const away = (event: PointerEvent) => {
      if (!root.current?.contains(event.target as Element)) setOpen(false);
    };
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      trigger.current?.focus();
    };
    document.addEventListener("pointerdown", away);
    document.addEventListener("keydown", onEscape);
    return () => {
      document.removeEventListener("pointerdown", away);
      document.removeEventListener("keydown", onEscape);
    };
  }, [open]);

  return (
    <span className="popover" ref={root}>
      <button
        ref={trigger}
        type="button"
        className={className}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        aria-controls={open ? id : undefined}
        onClick={() => setOpen(!open)}
      >
        {button}
      </button>
      {open && (
        <div id={id} className="popover-panel" role="dialog" aria-label={label}>
          {children(close)}
        </div>
      )}
    </span>
  );
}
