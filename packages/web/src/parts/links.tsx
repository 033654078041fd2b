import { Anchor, type AnchorProps } from "@mantine/core";
import { createLink } from "@tanstack/react-router";
import { forwardRef } from "react";

const PlainAnchor = forwardRef<HTMLAnchorElement, Omit<AnchorProps, "href">>(function PlainAnchor(props, ref) {
  return <Anchor ref={ref} {...props} />;
});

/** A link inside the page: typed by the router, styled like every other link. */
export const PageLink = createLink(PlainAnchor);
