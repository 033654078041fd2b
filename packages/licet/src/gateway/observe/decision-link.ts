/** The console's page of one decision; without a space the page finds it among those that its reader is a member of. */
export function decisionUrl(baseUrl: string, decision: string, space?: string): string {
  const page = `${baseUrl}/decisions/${encodeURIComponent(decision)}`;
  return space === undefined || space === "main" ? page : `${page}?space=${encodeURIComponent(space)}`;
}
