/** What a table is written in, by its first bytes: names of files say what somebody hoped. */
export type TableForm = "csv" | "parquet" | "arrow";

/** As many bytes as it takes to tell. */
export const formBytes = 8;

const [parquet, encryptedParquet, arrowFile] = ["PAR1", "PARE", "ARROW1"];

export function tableForm(start: Uint8Array): TableForm {
  const text = String.fromCharCode(...start.subarray(0, arrowFile.length));
  // A header of CSV may begin with these letters too: what follows them in a columnar file is no text.
  if ([parquet, encryptedParquet].some((mark) => text.startsWith(mark)) && !isText(start[parquet.length])) return "parquet";
  if (text === arrowFile && !isText(start[arrowFile.length])) return "arrow";
  // The mark with which messages of an Arrow stream begin; no UTF-8 holds these bytes.
  return start.length >= 4 && start.subarray(0, 4).every((byte) => byte === 0xff) ? "arrow" : "csv";
}

function isText(byte: number | undefined): boolean {
  return byte !== undefined && (byte >= 0x20 || byte === 0x0a || byte === 0x0d) && byte !== 0x7f;
}
