/**
 * Names of Python's standard library that hold values and do nothing else.
 * One line per module: its name, then names, each with its role behind a colon where it is not `class`.
 */
export const plainNames = `
builtins object:value int:constants float:constants complex:constants bool:constants str:constants type:value NoneType:value Ellipsis:value NotImplemented:value
builtins list:sequence tuple:sequence set:set frozenset:set dict:sequence bytes:bytesLike bytearray:bytesLike slice:constants range:constants xrange:constants
collections OrderedDict:mapping defaultdict:defaultdict Counter:mapping deque:sequence
copyreg _reconstructor:reconstructor __newobj__:firstClass
_codecs encode:latin1
datetime datetime date time timedelta timezone
decimal Decimal
fractions Fraction
uuid UUID:instance SafeUUID
pathlib PurePath PurePosixPath PureWindowsPath PosixPath WindowsPath Path
pathlib._local PurePath PurePosixPath PureWindowsPath PosixPath WindowsPath Path
argparse Namespace:instance
types SimpleNamespace
zoneinfo ZoneInfo:value
`;
