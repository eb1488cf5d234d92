import { Monitor, Moon, Sun } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./button.tsx";

const KEY = "mosaic:theme";
const NEXT = { system: "light", light: "dark", dark: "system" } as const;
type Theme = keyof typeof NEXT;

function savedTheme(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** Goes round: as the system, light, dark. `theme.js` applies the choice before the first paint. */
export function ThemeToggle() {
  const [theme, setTheme] = useState(savedTheme);
  const Icon = { system: Monitor, light: Sun, dark: Moon }[theme];
  const change = () => {
    applyTheme(NEXT[theme]);
    setTheme(NEXT[theme]);
  };
  return (
    <IconButton label={`Theme: ${theme}. Change to ${NEXT[theme]}`} onClick={change}>
      <Icon className="size-4" />
    </IconButton>
  );
}
