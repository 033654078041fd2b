import { Modal } from "@mantine/core";
import type { ReactNode } from "react";

export interface DialogProps {
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly size?: "md" | "lg";
  readonly children: ReactNode;
}

/** Its head is no banner of the page, though Mantine makes it a `header`. */
export function Dialog({ opened, onClose, title, size = "md", children }: DialogProps): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size} closeButtonProps={{ "aria-label": "close" }} attributes={{ header: { role: "none" } }}>
      {children}
    </Modal>
  );
}
