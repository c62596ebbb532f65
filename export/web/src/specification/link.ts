// reasonAddress returns where the specification explains a reason of a refusal.
export const reasonAddress = (reason: string): string => `/specification#reason-${reason}`;
