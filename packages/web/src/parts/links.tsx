import { Anchor, type AnchorProps } from "@mantine/core";
import { createLink, type LinkComponent } from "@tanstack/react-router";
import { forwardRef } from "react";

const PlainAnchor = forwardRef<HTMLAnchorElement, Omit<AnchorProps, "href">>(function PlainAnchor(props, ref) {
  return <Anchor ref={ref} {...props} />;
});

const created = createLink(PlainAnchor);

/** A link inside the page: typed by the router, styled like every other link. */
export const PageLink: LinkComponent<typeof PlainAnchor> = (props) => created(props);
