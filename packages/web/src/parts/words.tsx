import { Anchor, Badge, Code, CopyButton, Group, Text, Tooltip, UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import { labelOf, toneOf, tones } from "../theme.ts";

export function Word({ value, prefix }: { readonly value: string; readonly prefix?: string }): ReactNode {
  return (
    <Badge variant="light" autoContrast color={tones[toneOf(value)]} tt="none" fw={600}>
      {prefix === undefined ? "" : `${prefix} `}
      {labelOf(value)}
    </Badge>
  );
}

const day = 86_400_000;

function ageOf(time: number, now: number): string {
  const minutes = Math.floor(Math.abs(now - time) / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor((Math.abs(now - time) + 1) / day)} d`;
}

/** Age for the eye; exact times, in the reader's zone and in UTC, behind it. */
export function Age({ since }: { readonly since: number }): ReactNode {
  const exact = new Date(since);
  const age = ageOf(since, Date.now());
  const past = since <= Date.now();
  const text = age === "now" ? "just now" : past ? `${age} ago` : `in ${age}`;
  return (
    <Tooltip label={`${exact.toLocaleString()} (${exact.toISOString().slice(0, 19)}Z)`} withArrow>
      <Text component="time" dateTime={exact.toISOString()} size="sm" c="dimmed" span>
        {text}
      </Text>
    </Tooltip>
  );
}

/** A digest, short for the eye, whole for the clipboard. */
export function Digest({ value }: { readonly value: string }): ReactNode {
  const short = value.startsWith("sha256:") ? `${value.slice(7, 19)}…` : value;
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "copied" : `${value}: click to copy`} withArrow multiline maw={420}>
          <UnstyledButton onClick={copy} aria-label={`copy ${value}`}>
            <Code>{short}</Code>
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

export function Field({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactNode {
  return (
    <Group gap="xs" wrap="nowrap" align="flex-start">
      <Text size="sm" c="dimmed" w={150} style={{ flexShrink: 0 }}>
        {name}
      </Text>
      <Text size="sm" component="div" style={{ overflowWrap: "anywhere" }}>
        {children}
      </Text>
    </Group>
  );
}

export function Mail({ address }: { readonly address: string }): ReactNode {
  return (
    <Anchor href={`mailto:${address}`} size="sm">
      {address}
    </Anchor>
  );
}
