#!/bin/sh
# Install XrayView for this user, without root: ./install.sh [--prefix DIR] | --uninstall
# The folder goes to PREFIX/lib/xrayview, links to PREFIX/bin, and the entry of the menu to
# PREFIX/share. Settings, results and logs are elsewhere and stay when it is removed.
set -eu

prefix=${XDG_DATA_HOME:-$HOME/.local/share}
prefix=${prefix%/share}
remove=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=${2:?--prefix needs a folder}; shift 2 ;;
    --uninstall) remove=yes; shift ;;
    *) echo "usage: $0 [--prefix DIR] | --uninstall [--prefix DIR]" >&2; exit 2 ;;
  esac
done
here=$(cd "$(dirname "$0")" && pwd)
app=$prefix/lib/xrayview

delete() {
  rm -rf "$app" "$app.old"
  rm -f "$prefix/bin/xrayview" "$prefix/bin/XrayView" \
    "$prefix/share/applications/xrayview.desktop" "$prefix"/share/man/man1/[xX]ray[vV]iew.1.gz \
    "$prefix/share/metainfo/org.xrayview.XrayView.metainfo.xml"
  find "$prefix/share/icons/hicolor" -name "xrayview.*" -delete 2>/dev/null || true
}

refresh() {
  for tool in "update-desktop-database -q $prefix/share/applications" \
    "gtk-update-icon-cache -q -t -f $prefix/share/icons/hicolor"; do
    command -v "${tool%% *}" >/dev/null 2>&1 && $tool 2>/dev/null || true
  done
}

if [ -n "$remove" ]; then
  delete
  refresh
  echo "XrayView is removed from $prefix. Settings and results are still there."
  exit 0
fi

[ -x "$here/XrayView/xrayview" ] || { echo "$here/XrayView is not complete." >&2; exit 1; }
mkdir -p "$prefix/bin" "$prefix/lib"
# The new folder is complete before the old one goes: a full disk leaves the old program.
rm -rf "$app.new"
cp -a "$here/XrayView" "$app.new"
rm -rf "$app.old"
[ ! -e "$app" ] || mv "$app" "$app.old"
mv "$app.new" "$app"
rm -rf "$app.old"
for name in XrayView xrayview; do
  ln -sf "$app/$name" "$prefix/bin/$name"
done
(cd "$here/share" && find . -type f -o -type l) | while read -r file; do
  mkdir -p "$prefix/share/$(dirname "$file")"
  cp -P "$here/share/$file" "$prefix/share/$file"
done
# A menu may have another PATH than a terminal.
sed -i "s|^Exec=XrayView|Exec=\"$app/XrayView\"|" "$prefix/share/applications/xrayview.desktop"
refresh
echo "XrayView is installed in $app."
case ":$PATH:" in
  *":$prefix/bin:"*) echo "Start it from the menu, or type: xrayview --help" ;;
  *) echo "Start it from the menu, or type: $prefix/bin/xrayview --help" ;;
esac
