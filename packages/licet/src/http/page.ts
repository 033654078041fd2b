import fastifyStatic from "@fastify/static";
import { LicetError } from "@licet/contract";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { existsSync } from "node:fs";
import { join } from "node:path";

function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== "GET" && request.method !== "HEAD") return false;
  const path = request.url.split("?")[0] ?? "";
  // A missing file of the page must not come back as the page itself.
  return !path.startsWith("/api") && !/\.[a-z0-9]{1,8}$/iu.test(path);
}

/** Serves the built page; its own addresses (`/systems/x`) all give `index.html`. Everything else is not there. */
export async function servePage(app: FastifyInstance, folder: string | undefined): Promise<void> {
  const built = folder !== undefined && existsSync(join(folder, "index.html"));
  if (built) {
    await app.register(fastifyStatic, {
      root: folder,
      wildcard: false,
      index: ["index.html"],
      dotfiles: "ignore",
      // File names under assets/ carry a digest of their content.
      setHeaders: (reply, path) => {
        void reply.header("cache-control", path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache");
      },
    });
  }
  app.setNotFoundHandler(async (request: FastifyRequest, reply: FastifyReply) => {
    if (!wantsPage(request)) throw new LicetError("not_found");
    if (built) return reply.header("cache-control", "no-cache").sendFile("index.html");
    return reply.code(503).type("text/plain; charset=utf-8").send("the page is not built: run `npm run build`\n");
  });
}
