import type { Scoring } from "@licet/contract";
import { endpointDefaults, type EndpointOptions } from "./endpoint.ts";
import { httpSubject } from "./http-subject.ts";
import { oipSubject } from "./oip-subject.ts";
import type { Subject } from "./subject.ts";

/** A declared model without a file, and where it answers during this run. Plain data, so that it can go to a worker. */
export interface ServedModel {
  /** As whoever runs the checks gave it: of the Open Inference Protocol up to and with `/v2`, else the whole address. */
  readonly address: string;
  readonly credential?: string;
  /** Its name on the server. */
  readonly model: string;
  readonly version?: string;
  /** Of what the release declares about it. */
  readonly digest: string;
  /** Of its weights, where the release declares that. */
  readonly weights?: string;
  /** How it is asked. Default: by the Open Inference Protocol. */
  readonly scoring?: Scoring;
}

/** `endsAt` by `performance.now()`: nothing is asked afterwards. Throws what the server's metadata are, or `subject_failed` and the like when it does not answer. */
export async function openServed(name: string, served: ServedModel, endsAt = Infinity): Promise<Subject> {
  const { address, model, version, weights, scoring = { protocol: "oip" } } = served;
  const bounds = { ...boundsOf(scoring, headersOf(served)), endsAt };
  if (scoring.protocol === "oip") {
    const { output, classes, tensors } = scoring;
    return oipSubject({ ...bounds, id: name, baseUrl: address, model, version, weights, output, classes, tensors });
  }
  const { body = {}, rowsAt, features, scoresAt, scoreNames, versionAt, classes = scoreNames } = scoring;
  return httpSubject({ ...bounds, id: name, url: address, model, version, body, rowsAt, features, scoresAt, scoreNames, versionAt, classes });
}

function boundsOf({ batchRows, inFlight, timeoutMs }: Scoring, headers: EndpointOptions["headers"]): EndpointOptions {
  const { batchRowsMax, inFlightMax, callMsMax, attemptsMax } = endpointDefaults;
  return { headers, batchRowsMax: batchRows ?? batchRowsMax, inFlightMax: inFlight ?? inFlightMax, callMsMax: timeoutMs ?? callMsMax, attemptsMax };
}

function headersOf({ credential, scoring }: ServedModel): Readonly<Record<string, string>> {
  if (credential === undefined) return {};
  const header = scoring?.protocol === "http" ? scoring.credentialHeader : undefined;
  return header === undefined ? { authorization: `Bearer ${credential}` } : { [header]: credential };
}
