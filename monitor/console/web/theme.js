/*
 * theme - light or dark: as the system says, until somebody chooses here.
 */
const painters = new Set();
const dark = matchMedia("(prefers-color-scheme: dark)");

export const chosen = () => localStorage.getItem("weir-theme") || "system";

export function use(theme) {
    if (theme === "system")
        localStorage.removeItem("weir-theme");
    else
        localStorage.setItem("weir-theme", theme);
    apply();
}

function apply() {
    const theme = chosen();

    if (theme === "system")
        delete document.documentElement.dataset.theme;
    else
        document.documentElement.dataset.theme = theme;
    painters.forEach((tell) => tell());
}

export function startTheme() {
    apply();
    dark.addEventListener("change", apply);
}

/* Tells when colours are others now; gives what ends that. */
export function onTheme(tell) {
    painters.add(tell);
    return () => painters.delete(tell);
}
