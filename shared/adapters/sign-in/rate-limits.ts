/**
 * Per address and route, counted in the database so that every isolate sees the same number. better-auth starts a
 * window anew only after a quiet one of that length (seconds), so the windows of routes that are polled stay shorter
 * than the polling interval: the device flow asks every 5 s.
 */
export const rateLimits = {
  window: 2,
  max: 60,
  customRules: {
    "/sign-in/*": { window: 20, max: 20 },
    "/sign-up/*": { window: 20, max: 40 },
    "/request-password-reset": { window: 60, max: 5 },
    "/reset-password": { window: 60, max: 10 },
    "/reset-password/*": { window: 60, max: 10 },
    "/change-password": { window: 60, max: 10 },
    "/verify-password": { window: 60, max: 10 },
    "/device/code": { window: 30, max: 20 },
    "/device/token": { window: 3, max: 10 },
    "/device": { window: 60, max: 20 },
    "/device/approve": { window: 60, max: 20 },
    "/device/deny": { window: 60, max: 20 },
    "/organization/invite-member": { window: 60, max: 30 },
    "/api-key/create": { window: 60, max: 30 },
  },
};

/** Wrong passwords for one account from all addresses together; seconds, from the first of them. */
export const accountLimit = { window: 15 * 60, max: 10 };
