import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, type Terminal } from "./terminal.ts";

/** Spaces are opened from the installation's first one. */
const firstSpace = "main";

export async function runSpaceCreate(name: string, options: ServerOptions & { readonly title?: string }, terminal: Terminal): Promise<ExitCode> {
  const { client } = connect(options);
  const space = await client("openSpace", { params: { space: firstSpace }, body: { name, title: options.title ?? name } });
  terminal.out(`opened the space ${space.name} (entry ${space.entry}); you are its administrator`);
  terminal.out(`next: \`licet people grant --space ${space.name} --email YOU --role platform-engineer\`, then \`licet policy publish --space ${space.name}\``);
  return exitCodes.fine;
}

export async function runSpaceList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client } = connect(options);
  const { spaces } = await client("showSession");
  terminal.out(columns([["SPACE", "YOUR ROLES"], ...spaces.map(({ space, roles }) => [space, roles.join(", ") || "no role"])]));
  return exitCodes.fine;
}
