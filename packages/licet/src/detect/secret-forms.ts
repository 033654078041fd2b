/** A kind of secret that shows by how it begins. */
export interface SecretForm {
  readonly type: string;
  /** Found first, in any case; the form then decides. */
  readonly begins: readonly string[];
  /** Sticky, from the first character. Every repetition is bounded: a match ends within `secretCharactersMax`. */
  readonly form: RegExp;
}

export const secretCharactersMax = 4096;

function form(type: string, begins: readonly string[], pattern: RegExp): SecretForm {
  return { type, begins, form: new RegExp(pattern.source, pattern.flags.includes("i") ? "iuy" : "uy") };
}

/**
 * The forms of the services' own documentation, and those of secretlint's recommended preset, against which a test
 * holds them. Lengths are lower bounds where a service has changed them before.
 */
export const secretForms: readonly SecretForm[] = [
  form("aws-access-key", ["AKIA", "ASIA"], /(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])/u),
  form("api-key", ["sk-"], /(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]{0,30}[0-9A-Z])[A-Za-z0-9_-]{20,220}/u),
  form("api-key", ["gsk_"], /(?<![A-Za-z0-9])gsk_[A-Za-z0-9]{40,60}/u),
  form("api-key", ["xai-"], /(?<![A-Za-z0-9])xai-[A-Za-z0-9]{60,100}/u),
  form("api-key", ["pplx-"], /(?<![A-Za-z0-9])pplx-[A-Za-z0-9]{40,60}/u),
  form("api-key", ["r8_"], /(?<![A-Za-z0-9])r8_[A-Za-z0-9]{37,40}/u),
  form("github-token", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], /(?<![A-Za-z0-9])gh[pousr]_(?:\d{1,20}_[\w-]{1,600}\.[\w-]{1,2000}\.[\w-]{1,600}|\w{36,255})/u),
  form("github-token", ["github_pat_"], /(?<![A-Za-z0-9])github_pat_\w{60,255}/u),
  form("gitlab-token", ["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "gloas-", "glsoat-"], /(?<![A-Za-z0-9])gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat)-[\w.-]{20,300}/u),
  form("google-key", ["AIza"], /(?<![A-Za-z0-9])AIza[\w-]{35}/u),
  form("google-key", ["GOCSPX-"], /(?<![A-Za-z0-9])GOCSPX-[\w-]{24,40}/u),
  form("google-key", ["ya29."], /(?<![A-Za-z0-9])ya29\.[\w-]{20,1000}/u),
  form("azure-key", ["AccountKey=", "SharedAccessKey="], /(?:AccountKey|SharedAccessKey)=[A-Za-z0-9+/]{40,100}={0,2}/iu),
  form("azure-key", ["sig="], /(?<![A-Za-z0-9])sig=[A-Za-z0-9%]{43,70}(?:=|%3d)?/iu),
  form("azure-key", ["8Q~", "7Q~"], /(?<=[\w~.-]{3})[78]Q~[\w~.-]{31,34}/u),
  form("slack-token", ["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxc-", "xoxd-", "xoxo-", "xoxe.xox", "xapp-"], /(?<![A-Za-z0-9])(?:xox[a-z](?:\.xox[bp])?|xapp)-[\w%-]{10,300}/iu),
  form("slack-token", ["hooks.slack.com/"], /hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9]{1,40}\/[A-Za-z0-9]{1,40}\/[A-Za-z0-9/]{1,80}/iu),
  form("stripe-key", ["sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "rk_prod_"], /(?<![A-Za-z0-9])[sr]k_(?:live|test|prod)_[A-Za-z0-9]{16,250}/u),
  form("stripe-key", ["whsec_"], /(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/]{24,64}={0,2}/u),
  form("npm-token", ["npm_"], /(?<![A-Za-z0-9])npm_\w{36}(?!\w)/u),
  form("npm-token", ["_authToken="], /_authToken=(?!\$)[\w./+~-]{16,200}={0,2}/u),
  form("pypi-token", ["pypi-"], /(?<![A-Za-z0-9])pypi-[\w-]{50,1000}/u),
  form("huggingface-token", ["hf_"], /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,60}/u),
  form("huggingface-token", ["api_org_"], /(?<![A-Za-z0-9])api_org_[A-Za-z0-9]{30,60}/u),
  form("sendgrid-key", ["SG."], /(?<![A-Za-z0-9])SG\.[\w-]{16,64}\.[\w-]{16,64}/u),
  form("jwt", ["eyJ"], /(?<![A-Za-z0-9])eyJ[\w-]{8,600}\.eyJ[\w-]{8,2400}\.[\w-]{8,800}/u),
  form("vendor-token", ["shpat_", "shpca_", "shppa_", "shpss_"], /(?<![A-Za-z0-9])shp(?:at|ca|pa|ss)_[A-Za-z0-9]{32,64}/u),
  form("vendor-token", ["lin_api_", "lin_oauth_"], /(?<![A-Za-z0-9])lin_(?:api|oauth)_\w{32,128}/u),
  form("vendor-token", ["ops_ey"], /(?<![A-Za-z0-9])ops_ey[A-Za-z0-9+/=]{100,1400}/u),
  form("vendor-token", ["dapi"], /(?<![A-Za-z0-9])dapi[A-Fa-f0-9]{32}(?:-\d)?(?![A-Za-z0-9])/u),
  form("vendor-token", ["dop_v1_", "doo_v1_", "dor_v1_"], /(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}/u),
  form("vendor-token", ["ntn_"], /(?<![A-Za-z0-9])ntn_\d{11}[A-Za-z0-9]{35}/u),
  form("vendor-token", ["secret_"], /(?<![A-Za-z0-9])secret_[A-Za-z0-9]{43}(?![A-Za-z0-9])/u),
  form("vendor-token", ["glc_"], /(?<![A-Za-z0-9])glc_[A-Za-z0-9+/]{32,400}={0,2}/u),
  form("vendor-token", ["glsa_"], /(?<![A-Za-z0-9])glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/u),
  form("vendor-token", ["hvs.", "hvb.", "hvr."], /(?<![A-Za-z0-9])hv[sbr]\.[\w-]{24,300}/u),
  form("vendor-token", ["dp.pt.", "dp.st.", "dp.ct.", "dp.sa."], /(?<![A-Za-z0-9])dp\.(?:pt|st|ct|sa)\.[\w.-]{40,100}/u),
  form("vendor-token", ["PMAK-"], /(?<![A-Za-z0-9])PMAK-[a-f0-9]{24}-[a-f0-9]{34}/u),
  form("vendor-token", ["figd_"], /(?<![A-Za-z0-9])figd_[\w-]{40,200}/u),
  form("vendor-token", ["dckr_pat_", "dckr_oat_"], /(?<![A-Za-z0-9])dckr_[po]at_[\w-]{27,40}/u),
  form("vendor-token", ["vcp_", "vci_", "vca_", "vcr_", "vck_"], /(?<![A-Za-z0-9])vc[piark]_[A-Za-z0-9]{20,60}/u),
  form("vendor-token", ["cfk_", "cfut_", "cfat_"], /(?<![A-Za-z0-9])cf(?:k|ut|at)_[A-Za-z0-9]{40}[0-9a-f]{8}/u),
  form("vendor-token", ["tskey-"], /(?<![A-Za-z0-9])tskey-[a-z]{2,20}-\w{8,40}(?:-\w{16,60})?/u),
  form("vendor-token", ["SK"], /(?<![A-Za-z0-9])SK[a-f0-9]{32}(?![A-Za-z0-9])/u),
  form("vendor-token", ["key-"], /(?<![A-Za-z0-9-])key-[a-f0-9]{32}(?![A-Za-z0-9])/u),
  form("vendor-token", [":AA"], /(?<=(?<![A-Za-z0-9])\d{8,10}):AA[\w-]{33}(?![\w-])/u),
  form("vendor-token", ["sntrys_", "sntryu_"], /(?<![A-Za-z0-9])sntry[su]_[\w=+/.-]{40,400}/u),
  form("vendor-token", ["atlasv1."], /(?<=[A-Za-z0-9]{14}\.)atlasv1\.[\w=-]{60,70}/u),
  form("vendor-token", ["ATATT3", "ATCTT3"], /(?<![A-Za-z0-9])AT[AC]TT3[\w=-]{60,300}/u),
  form("vendor-token", ["sq0atp-", "sq0csp-"], /(?<![A-Za-z0-9])sq0(?:atp|csp)-[\w-]{22,43}/u),
  form("vendor-token", ["AGE-SECRET-KEY-1"], /AGE-SECRET-KEY-1[A-Z0-9]{58}/u),
];
