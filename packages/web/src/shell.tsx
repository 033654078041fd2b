import { Alert, Anchor, AppShell, Badge, Box, Burger, Button, Code, Group, Loader, Menu, NavLink, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { LicetError, type SessionView } from "@licet/contract";
import { useEffect, type ReactNode } from "react";
import { space, useRoute } from "./api.ts";
import { SignIn } from "./pages/sign-in.tsx";
import { Empty, Failure } from "./parts/states.tsx";
import { signOut } from "./session.ts";
import { tones } from "./theme.ts";
import { useWho } from "./who.ts";

/** Pages that must work before anybody is signed in. */
const open: ReadonlySet<string> = new Set(["/setup", "/invitation"]);

/** A fresh load forgets everything that was shown to whoever leaves. */
function leave(): void {
  const after = (): void => location.assign("/");
  signOut().then(after, after);
}

function Person({ session }: { readonly session: SessionView }): ReactNode {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="xs" maw={{ base: 190, sm: 320 }}>
          {session.person?.email}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} to="/account">
          Account and passkeys
        </Menu.Item>
        <Menu.Item onClick={leave}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function QueueCount(): ReactNode {
  const queue = useRoute("showQueue", { params: { space } });
  const waiting = queue.data?.items.filter((item) => item.mayAnswer).length ?? 0;
  return waiting === 0 ? null : (
    <Badge size="sm" variant="filled" color={tones.wait} circle aria-label={`${waiting} waiting for you`}>
      {waiting}
    </Badge>
  );
}

function Places({ close }: { readonly close: () => void }): ReactNode {
  const { pathname } = useLocation();
  const { may } = useWho();
  const at = (...starts: readonly string[]): boolean => starts.some((start) => pathname.startsWith(start));
  return (
    <nav aria-label="main" onClick={close}>
      <NavLink component={Link} to="/" label="Systems" active={pathname === "/" || at("/systems")} />
      {may("decision.read") ? <NavLink component={Link} to="/traffic" label="Traffic" active={at("/traffic", "/decisions")} /> : null}
      <NavLink component={Link} to="/budgets" label="Budgets" active={at("/budgets")} />
      <NavLink component={Link} to="/queue" label="My queue" rightSection={<QueueCount />} active={at("/queue", "/requests")} />
      {may("system.read") ? <NavLink component={Link} to="/exceptions" label="Exceptions" active={at("/exceptions")} /> : null}
      {may("system.read") ? <NavLink component={Link} to="/holds" label="Holds" active={at("/holds")} /> : null}
      {may("policy.read") ? <NavLink component={Link} to="/policies" label="Policies" active={at("/policies")} /> : null}
      {may("log.read") ? <NavLink component={Link} to="/log" label="Evidence log" active={at("/log")} /> : null}
      {may("person.read") ? <NavLink component={Link} to="/people" label="People" active={at("/people")} /> : null}
    </nav>
  );
}

function Content({ session }: { readonly session: SessionView }): ReactNode {
  const { pathname } = useLocation();
  if (pathname === "/account" || session.spaces.some((member) => member.space === space)) return <Outlet />;
  return (
    <Empty title="No role yet">
      You are signed in, but hold no role in the space <Code>{space}</Code>. Ask an administrator for one.
    </Empty>
  );
}

/** At the bottom edge, over the page: nothing moves when the connection comes and goes. */
function Offline(): ReactNode {
  const { isError, error, dataUpdatedAt } = useRoute("showSession", {});
  if (!isError || !(error instanceof LicetError)) return null;
  return (
    <Alert className="offline" color={tones.bad} radius={0} role="alert" title="The server does not answer">
      This page shows the state of {new Date(dataUpdatedAt).toLocaleTimeString()} and tries again by itself.
    </Alert>
  );
}

function Frame({ session }: { readonly session: SessionView }): ReactNode {
  const [opened, { toggle, close }] = useDisclosure();
  const { pathname } = useLocation();
  useEffect(close, [pathname, close]);
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="menu" aria-expanded={opened} />
            <Anchor component={Link} to="/" fw={700} size="lg" underline="never">
              Licet
            </Anchor>
            <Text size="sm" c="dimmed" visibleFrom="sm">
              {space === "main" ? "it is permitted: provably" : `space ${space}`}
            </Text>
          </Group>
          <Person session={session} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <Places close={close} />
      </AppShell.Navbar>
      <AppShell.Main>
        <Box maw={1200} id="content" tabIndex={-1}>
          <Content session={session} />
        </Box>
      </AppShell.Main>
      <Offline />
    </AppShell>
  );
}

export function Shell(): ReactNode {
  const session = useRoute("showSession", {});
  const { pathname } = useLocation();
  if (open.has(pathname)) return <Outlet />;
  if (session.data === undefined) {
    return (
      <Stack p="xl" component="main">
        {session.isError ? <Failure error={session.error} /> : <Loader aria-label="loading" role="status" />}
      </Stack>
    );
  }
  return session.data.person === null ? <SignIn setupOpen={session.data.setupOpen} /> : <Frame session={session.data} />;
}
