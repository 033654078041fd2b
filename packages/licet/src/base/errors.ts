export { LicetError, type ErrorCode } from "@licet/contract";
