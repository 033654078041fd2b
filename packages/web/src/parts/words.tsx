import { Anchor, Badge, Code, CopyButton, Text, Tooltip, UnstyledButton } from "@mantine/core";
import { Fragment, type ReactNode } from "react";
import { labelOf, toneOf } from "../theme.ts";

export function Word({ value, prefix }: { readonly value: string; readonly prefix?: string }): ReactNode {
  return (
    <Badge variant="light" color={toneOf(value)} tt="none" fw={600} style={{ minWidth: "max-content", flexShrink: 0 }}>
      {prefix === undefined ? "" : `${prefix} `}
      {labelOf(value)}
    </Badge>
  );
}

/** A digest or id, short for the eye, whole for the clipboard. */
export function Digest({ value }: { readonly value: string }): ReactNode {
  const short = value.startsWith("sha256:") ? `${value.slice(7, 19)}…` : value;
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "copied" : `${value}: click to copy`} withArrow multiline maw={420} events={{ hover: true, focus: true, touch: true }}>
          <UnstyledButton onClick={copy} aria-label={`${short}: copy ${value}`}>
            <Code style={{ overflowWrap: "anywhere" }}>{short}</Code>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function Field({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <div className="field">
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </div>
  );
}

export function Mail({ address }: { readonly address: string }): ReactNode {
  return (
    <Anchor href={`mailto:${address}`} size="sm">
      {address}
    </Anchor>
  );
}

/** E-mail addresses and names in words_like_this, broken before the sign and after a stroke rather than inside a word. */
export function Breakable({ children }: { readonly children: string }): ReactNode {
  return children.split(/(?=@)|(?<=_)/u).map((part, at) => {
    const key = `${at} ${part}`;
    return at === 0 ? (
      part
    ) : (
      <Fragment key={key}>
        <wbr />
        {part}
      </Fragment>
    );
  });
}

/** A message in which the server marks commands and names by backticks. */
export function Prose({ children }: { readonly children: string }): ReactNode {
  return children.split("`").map((part, at) => {
    const key = `${at} ${part}`;
    return at % 2 === 1 ? <Code key={key}>{part}</Code> : part;
  });
}
