import type { Kept } from "../account/organization_admin_page";
import type { SignInApi } from "./sign_in_api";

/** What each part of the page works with. */
export interface Parts extends Kept {
  readonly signIn: SignInApi;
  /** Shows the page as it stands now. */
  readonly look: () => Promise<void>;
}
