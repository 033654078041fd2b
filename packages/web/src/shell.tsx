import { Anchor, AppShell, Badge, Burger, Button, Group, Loader, Menu, NavLink, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import type { SessionView } from "@licet/contract";
import type { ReactNode } from "react";
import { space, useRoute } from "./api.ts";
import { SignIn } from "./pages/sign-in.tsx";
import { Empty, Failure } from "./parts/states.tsx";
import { signOut } from "./session.ts";

/** Pages that must work before anybody is signed in. */
const open: ReadonlySet<string> = new Set(["/setup", "/invitation"]);

function Person({ session }: { readonly session: SessionView }): ReactNode {
  const queries = useQueryClient();
  const leave = (): void => {
    const after = (): void => void queries.invalidateQueries();
    signOut().then(after, after);
  };
  return (
    <Menu>
      <Menu.Target>
        <Button variant="default" size="xs">
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
    <Badge size="sm" circle aria-label={`${waiting} waiting for you`}>
      {waiting}
    </Badge>
  );
}

function Places(): ReactNode {
  const { pathname } = useLocation();
  return (
    <nav aria-label="main">
      <NavLink component={Link} to="/" label="Systems" active={pathname === "/" || pathname.startsWith("/systems")} />
      <NavLink component={Link} to="/queue" label="My queue" rightSection={<QueueCount />} active={pathname.startsWith("/queue") || pathname.startsWith("/requests")} />
      <NavLink component={Link} to="/log" label="Evidence log" active={pathname.startsWith("/log")} />
    </nav>
  );
}

function Content({ session }: { readonly session: SessionView }): ReactNode {
  if (session.spaces.some((member) => member.space === space)) return <Outlet />;
  return (
    <Empty title="No role yet">
      You are signed in, but hold no role in the space `{space}`. Ask an administrator for one.
    </Empty>
  );
}

function Gate({ children }: { readonly children: (session: SessionView) => ReactNode }): ReactNode {
  const session = useRoute("showSession", {});
  const { pathname } = useLocation();
  if (open.has(pathname)) return <Outlet />;
  if (session.isError && session.data === undefined) return <Failure error={session.error} />;
  if (session.data === undefined) return <Loader aria-label="loading" m="xl" />;
  if (session.data.person === null) return <SignIn setupOpen={session.data.setupOpen} />;
  return children(session.data);
}

function Frame({ session }: { readonly session: SessionView }): ReactNode {
  const [opened, { toggle }] = useDisclosure();
  return (
    <AppShell header={{ height: 56 }} navbar={{ width: 200, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="md">
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm">
            <Burger opened={opened} onClick={toggle} hiddenFrom="sm" size="sm" aria-label="menu" />
            <Anchor component={Link} to="/" fw={700} size="lg" underline="never">
              Licet
            </Anchor>
            <Text size="sm" c="dimmed" visibleFrom="sm">
              it is permitted: provably
            </Text>
          </Group>
          <Person session={session} />
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs">
        <Places />
      </AppShell.Navbar>
      <AppShell.Main>
        <Stack maw={1200}>
          <Content session={session} />
        </Stack>
      </AppShell.Main>
    </AppShell>
  );
}

export function Shell(): ReactNode {
  return <Gate>{(session) => <Frame session={session} />}</Gate>;
}
