export { errorInfo, errors, isErrorCode, LicetError, type ErrorCode, type ErrorDetail } from "./errors.ts";
export type { ErrorInfo, ErrorTable } from "./errors/table.ts";
export * from "./gate.ts";
export * from "./roles.ts";
export { routeNamed, routes, type RouteAnswer, type RouteInput, type RouteName, type RouteRequest } from "./routes.ts";
export type { Route, Routes } from "./routes/route.ts";
export * from "./routes/organisation.ts";
export * from "./routes/systems.ts";
export * from "./vocabulary.ts";
