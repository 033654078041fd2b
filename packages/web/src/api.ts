import { ApiError, createClient } from "@licet/client";
import { LicetError, type RouteAnswer, type RouteInput, type RouteName } from "@licet/contract";
import { keepPreviousData, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";

export const client = createClient({ baseUrl: location.origin });

/** The page shows one space; another is chosen by `?space=`. */
export const space = new URLSearchParams(location.search).get("space") ?? "main";

const pollMs = 3000;

/** Server state, read again every three seconds while the page is visible. */
export function useRoute<N extends RouteName>(name: N, input: RouteInput<N>, options: { readonly enabled?: boolean } = {}): UseQueryResult<RouteAnswer<N>> {
  return useQuery({
    queryKey: [name, input],
    queryFn: () => client(name, input),
    refetchInterval: pollMs,
    placeholderData: keepPreviousData,
    enabled: options.enabled ?? true,
    retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 2,
  });
}

/** A change; everything shown is read again afterwards. */
export function useChange<N extends RouteName>(name: N): UseMutationResult<RouteAnswer<N>, Error, RouteInput<N>> {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: RouteInput<N>) => client(name, input),
    onSuccess: () => queries.invalidateQueries(),
  });
}

export interface Explained {
  readonly code: string;
  readonly text: string;
  readonly fix: string;
}

export function explain(error: unknown): Explained {
  if (error instanceof ApiError) return { code: error.code, text: error.detail, fix: error.fix };
  if (error instanceof LicetError) return { code: error.code, text: error.message, fix: "Check that the server is running; this page tries again by itself." };
  return { code: "internal", text: error instanceof Error ? error.message : String(error), fix: "Reload the page." };
}
