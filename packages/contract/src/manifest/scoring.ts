import { z } from "zod";

const Pointer = z
  .string()
  .max(500)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/u, "a JSON pointer such as `/data/rows`, or nothing for the whole");
const ColumnNames = z.array(z.string().min(1).max(500)).min(1).max(4096);
const Classes = z.array(z.string().min(1).max(500)).min(1).max(1000).meta({ title: "Classes", description: "the labels of the scores, in their order; `1` for one score, `0` and so on for several, where absent" });

const bounds = {
  classes: Classes.optional(),
  batchRows: z.int().min(1).max(100_000).optional().meta({ title: "Rows at once", description: "in one call; 256 where absent" }),
  inFlight: z.int().min(1).max(64).optional().meta({ title: "Calls at once", description: "under way at the same time; 4 where absent" }),
  timeoutMs: z.int().min(1).max(600_000).optional().meta({ title: "Time limit", description: "milliseconds until the whole answer is there; 30,000 where absent" }),
};

const bySpokenProtocol = z.strictObject({
  protocol: z.literal("oip").meta({ title: "Protocol", description: "`oip`: the Open Inference Protocol, version 2; `http`: any interface that takes and gives JSON" }),
  output: z.string().min(1).max(256).optional().meta({ title: "Output", description: "the tensor that holds the scores, where the model has several" }),
  tensors: z.enum(["json", "binary"]).optional().meta({ title: "Tensors", description: "`binary`: numbers go and come as bytes behind the JSON, where the server has the extension `binary_tensor_data`; `json` where absent" }),
  ...bounds,
});

const byMapping = z.strictObject({
  protocol: z.literal("http").meta({ title: "Protocol", description: "`oip`: the Open Inference Protocol, version 2; `http`: any interface that takes and gives JSON" }),
  body: z.record(z.string(), z.json()).optional().meta({ title: "Body", description: "the request without its rows; empty where absent" }),
  rowsAt: Pointer.meta({ title: "Rows at", description: "where the list of rows goes" }),
  features: ColumnNames.optional().meta({ title: "Features", description: "names of the features in order: each row becomes an object; without them a list of numbers" }),
  scoresAt: Pointer.meta({ title: "Scores at", description: "where the answer holds one entry for each row" }),
  scoreNames: ColumnNames.optional().meta({ title: "Score names", description: "members of an entry that hold the scores; without them an entry is a number or a list" }),
  versionAt: Pointer.optional().meta({ title: "Version at", description: "where the answer names the version that answered; without it a change is not seen" }),
  credentialHeader: z.string().regex(/^[a-z0-9-]{1,64}$/u, "a header's name in lower case").optional().meta({ title: "Credential header", description: "the header that takes the credential as it is; `authorization` with `Bearer` where absent" }),
  ...bounds,
});

/** How a predictive model behind an endpoint is asked. Where it answers is said when checks are run, never here. */
export const Scoring = z.discriminatedUnion("protocol", [bySpokenProtocol, byMapping]).meta({ title: "Scoring", description: "how checks ask a model that predicts and has no file here; the address is given when checks are run" });
export type Scoring = z.output<typeof Scoring>;
