/** Where a workload asks, and as whom. */
export interface WorkloadOptions {
  /** Licet's data plane, such as `http://127.0.0.1:4401`. */
  readonly dataUrl: string;
  /** The credential that `licet deploy record` issued for this deployment. */
  readonly credential: string;
  /** The deployment's id, or the name of its system. */
  readonly workload: string;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /**
   * The types of obligations that the program carries out (`step-up`, `notification`, `custom` …). A decision that
   * demands another is a refusal; none unless named.
   */
  readonly obligations?: readonly string[] | undefined;
  /** Refuses after this time; 10 s unless named. */
  readonly timeoutMilliseconds?: number | undefined;
}

/** One export of data, before it happens. */
export interface ExportAsked {
  /** Who receives it: the `to` of a sharing path that the release declares. */
  readonly to: string;
  /** Every class of the data that leaves: public, internal, confidential, personal, special. */
  readonly dataClasses: readonly string[];
  readonly purpose?: string | undefined;
  /** How many records leave. */
  readonly records?: number | undefined;
}

/** What the program must carry out as a condition of the decision, of a type that it said it carries out. */
export interface Obligation {
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Allowed, by a decision that is in the log already; or refused, with what to do next. `decision` is null where none was recorded. */
export type Answer =
  | {
      readonly allowed: true;
      readonly decision: string;
      readonly obligations: readonly Obligation[];
      /** Codes of what would have refused it, where it goes on only because the system is observed. */
      readonly observed?: readonly string[];
    }
  | { readonly allowed: false; readonly decision: string | null; readonly code: string; readonly message: string; readonly remedy: string };

/** One run of a model in the program's own process, before it happens. */
export interface ScoringAsked {
  /** The model as the release declares it. */
  readonly model: string;
  /** Of the file that was loaded, `sha256:…`; see {@link digestOfModel}. */
  readonly digest: string;
  /** Classes of the data that is scored, where it is no text: public, internal, confidential, personal, special. */
  readonly dataClasses?: readonly string[] | undefined;
  /** Words that are scored; detectors read them, and no record keeps them. */
  readonly texts?: readonly string[] | undefined;
}

/** How a scoring ended. */
export interface ScoringEnded {
  /** Of the answer that allowed it. */
  readonly decision: string;
  readonly finish: "complete" | "failed";
  /** How many rows were scored. */
  readonly rows?: number | undefined;
  readonly milliseconds?: number | undefined;
  /** Digest of the output, `sha256:…`, where the program keeps one. */
  readonly output?: string | undefined;
}

/** Asks Licet for one deployment. Nothing here throws: whatever goes wrong is a refusal. */
export interface Workload {
  /**
   * May this data leave now? Ask before the first byte goes out.
   *
   * @example
   * const licet = createWorkload({ dataUrl, credential, workload: "helpdesk" });
   * const answer = await licet.mayExport({ to: "crm", dataClasses: ["internal"], purpose: "ticket hand-over", records: 40 });
   * if (!answer.allowed) throw new Error(`${answer.message}; ${answer.remedy}`);
   */
  mayExport(asked: ExportAsked): Promise<Answer>;
  /** May the system run its own model now? */
  mayScore(asked: ScoringAsked): Promise<Answer>;
  /** Reports how an allowed scoring ended. False where that is not in the record: then its result must not be used. */
  scored(ended: ScoringEnded): Promise<boolean>;
  /** May the system call this declared model now? The gateway asks by itself; this is for calls that do not go through it. */
  mayCall(asked: { readonly model: string }): Promise<Answer>;
}

type Members = Readonly<Record<string, unknown>>;

function members(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function unanswered(message: string): Answer {
  return { allowed: false, decision: null, code: "unreachable", message, remedy: "check that the address is that of Licet's data plane, then ask again" };
}

/** Undefined where one of them is in no form or of a type that the program does not carry out. */
function obligationsIn(value: unknown, carried: readonly string[]): readonly Obligation[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return undefined;
  const read = value.map((each: unknown) => {
    const { id, type, properties } = members(each);
    return typeof id === "string" && typeof type === "string" && carried.includes(type) ? { id, type, properties: members(properties) } : undefined;
  });
  return read.includes(undefined) ? undefined : read.filter((each) => each !== undefined);
}

function observedIn(value: unknown): { readonly observed?: readonly string[] } {
  return Array.isArray(value) ? { observed: value.filter((each) => typeof each === "string") } : {};
}

async function read(response: Response, carried: readonly string[]): Promise<Answer> {
  const body: unknown = JSON.parse(await response.text());
  const { decision, context } = members(body);
  const { id, code, message, remedy, obligations, observed } = members(context);
  const recorded = text(id) ?? response.headers.get("x-licet-decision");
  const demanded = obligationsIn(obligations, carried);
  if (response.status === 200 && decision === true && text(id) !== undefined && recorded !== null && demanded !== undefined) return { allowed: true, decision: recorded, obligations: demanded, ...observedIn(observed) };
  return {
    allowed: false,
    decision: recorded,
    code: text(code) ?? response.headers.get("x-licet-code") ?? "internal",
    message: text(message) ?? text(body) ?? `Licet answered ${String(response.status)} without a yes`,
    remedy: text(remedy) ?? "look the decision up in Licet",
  };
}

/** A client of the decision API for one deployment; works in Node and in browsers. */
export function createWorkload(options: WorkloadOptions): Workload {
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const carried = options.obligations ?? [];
  const base = `${options.dataUrl.replace(/\/+$/u, "")}/access/v1`;

  function post(path: string, body: object): Promise<Response> {
    return send(`${base}/${path}`, {
      method: "POST",
      redirect: "error",
      signal: AbortSignal.timeout(options.timeoutMilliseconds ?? 10_000),
      headers: { authorization: `Bearer ${options.credential}`, "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
  }

  async function ask(action: object, resource: object, context: object = {}): Promise<Answer> {
    try {
      const response = await post("evaluation", { subject: { type: "workload", id: options.workload }, action, resource, context: { supported_obligations: carried, ...context } });
      return await read(response, carried);
    } catch (error) {
      // Only the kind of failure: its message may quote the credential or the answer.
      return unanswered(`no usable answer from Licet (${error instanceof Error ? error.name : "unknown"})`);
    }
  }

  return {
    mayExport: ({ to, dataClasses, purpose, records }) => ask({ name: "exportData", properties: { dataClasses, ...(purpose !== undefined && { purpose }), ...(records !== undefined && { records }) } }, { type: "destination", id: to }),
    mayScore: ({ model, digest, dataClasses, texts }) =>
      ask({ name: "score", ...(dataClasses !== undefined && { properties: { dataClasses } }) }, { type: "model", id: model, properties: { digest } }, { ...(texts !== undefined && { texts }) }),
    scored: async ({ decision, finish, rows, milliseconds, output }) => {
      try {
        const told = { decision, finish, ...(rows !== undefined && { rows }), ...(milliseconds !== undefined && { milliseconds: Math.round(milliseconds) }), ...(output !== undefined && { output }) };
        const response = await post("outcome", told);
        const answer = members(JSON.parse(await response.text()));
        return response.status === 200 && answer["recorded"] === true && answer["decision"] === decision;
      } catch {
        return false;
      }
    },
    mayCall: ({ model }) => ask({ name: "callModel" }, { type: "model", id: model }),
  };
}
