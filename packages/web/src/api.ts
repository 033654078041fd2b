import { ApiError, createClient } from "@licet/client";
import { LicetError, type RouteAnswer, type RouteInput, type RouteName } from "@licet/contract";
import { keepPreviousData, useMutation, useQuery, useQueryClient, type UseMutationResult, type UseQueryResult } from "@tanstack/react-query";
import { SignInError } from "./session.ts";

export const client = createClient({ baseUrl: location.origin });

/** The page shows one space; another is chosen by `?space=`. */
export const space = new URLSearchParams(location.search).get("space") ?? "main";

const pollMilliseconds = 3000;

export interface Reading {
  readonly enabled?: boolean;
  /** Shows what was there until the next page of the same list has come. Never for one thing after another. */
  readonly keep?: boolean;
  /** What cannot change is read once. */
  readonly once?: boolean;
}

/** Server state, read again every three seconds while the page is visible. */
export function useRoute<N extends RouteName>(name: N, input: RouteInput<N>, { enabled = true, keep = false, once = false }: Reading = {}): UseQueryResult<RouteAnswer<N>> {
  return useQuery({
    queryKey: [name, input],
    queryFn: () => client(name, input),
    refetchInterval: once ? false : pollMilliseconds,
    staleTime: once ? Number.POSITIVE_INFINITY : 0,
    ...(keep ? { placeholderData: keepPreviousData } : {}),
    enabled,
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

function placesOf(error: ApiError): string {
  return error.errors.map((place) => `${place.pointer.replace(/^\/body\//u, "")}: ${place.detail}`).join("; ");
}

/** What went wrong, under its stable code, and what to do next. */
export function explain(error: unknown): Explained {
  if (error instanceof ApiError) return { code: error.code, text: error.errors.length === 0 ? error.detail : `${error.detail}: ${placesOf(error)}`, fix: error.fix };
  if (error instanceof SignInError) return { code: error.code, text: error.message, fix: error.fix };
  if (error instanceof LicetError) return { code: error.code, text: error.message, fix: "check that the server is running; this page tries again by itself" };
  return { code: "internal", text: error instanceof Error ? error.message : String(error), fix: "reload the page" };
}
