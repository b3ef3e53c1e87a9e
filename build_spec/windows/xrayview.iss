; The installer for Windows, for Inno Setup 6.3 or newer:
;   iscc /DVersion=0.2.0 /DNumbers=0.2.0.0 /DSource=dist\XrayView /DOut=dist build_spec\windows\xrayview.iss
; It installs for one user, without an administrator, and leaves settings, models and results.

#ifndef Suffix
  #define Suffix ""
#endif

[Setup]
AppId={{6D0A3C54-3D65-4C7B-9E52-6A2B5F1D7C11}
AppName=XrayView
AppVersion={#Version}
AppPublisher=The XrayView developers
VersionInfoVersion={#Numbers}
DefaultDirName={autopf}\XrayView
DefaultGroupName=XrayView
DisableProgramGroupPage=yes
PrivilegesRequired=lowest
PrivilegesRequiredOverridesAllowed=commandline
ArchitecturesAllowed=x64compatible
ArchitecturesInstallIn64BitMode=x64compatible
MinVersion=10.0.17763
ChangesAssociations=yes
ChangesEnvironment=yes
CloseApplications=yes
LicenseFile=..\..\LICENSE
SetupIconFile=..\..\build\icons\xrayview.ico
UninstallDisplayIcon={app}\XrayView.exe
Compression=lzma2/max
SolidCompression=yes
LZMANumBlockThreads=2
OutputDir={#Out}
OutputBaseFilename=xrayview-{#Version}{#Suffix}-windows-x64
#ifdef Sign
SignTool={#Sign}
SignedUninstaller=yes
#endif

[Tasks]
Name: dicom; Description: "Offer XrayView in ""Open with"" for DICOM files (.dcm)"
Name: model; Description: "Offer XrayView in ""Open with"" for model bundles (.pt)"; Flags: unchecked
Name: path; Description: "Make the command ""xrayview"" available in terminals"; Flags: unchecked
Name: desktop; Description: "Icon on the desktop"; Flags: unchecked

[Files]
Source: "{#Source}\*"; DestDir: "{app}"; Flags: recursesubdirs createallsubdirs ignoreversion
Source: "xrayview.cmd"; DestDir: "{app}\bin"; Flags: ignoreversion

[InstallDelete]
; Files of an older version that this one does not have would be loaded beside it.
Type: filesandordirs; Name: "{app}\_internal"

[Icons]
Name: "{group}\XrayView"; Filename: "{app}\XrayView.exe"
Name: "{userdesktop}\XrayView"; Filename: "{app}\XrayView.exe"; Tasks: desktop

[Registry]
Root: HKA; Subkey: "Software\Classes\XrayView.dcm"; ValueType: string; ValueData: "DICOM film"; Flags: uninsdeletekey; Tasks: dicom
Root: HKA; Subkey: "Software\Classes\XrayView.dcm\DefaultIcon"; ValueType: string; ValueData: "{app}\XrayView.exe,0"; Tasks: dicom
Root: HKA; Subkey: "Software\Classes\XrayView.dcm\shell\open\command"; ValueType: string; ValueData: """{app}\XrayView.exe"" ""%1"""; Tasks: dicom
Root: HKA; Subkey: "Software\Classes\.dcm\OpenWithProgids"; ValueType: string; ValueName: "XrayView.dcm"; ValueData: ""; Flags: uninsdeletevalue; Tasks: dicom
Root: HKA; Subkey: "Software\Classes\XrayView.pt"; ValueType: string; ValueData: "Model bundle"; Flags: uninsdeletekey; Tasks: model
Root: HKA; Subkey: "Software\Classes\XrayView.pt\DefaultIcon"; ValueType: string; ValueData: "{app}\XrayView.exe,0"; Tasks: model
Root: HKA; Subkey: "Software\Classes\XrayView.pt\shell\open\command"; ValueType: string; ValueData: """{app}\XrayView.exe"" ""%1"""; Tasks: model
Root: HKA; Subkey: "Software\Classes\.pt\OpenWithProgids"; ValueType: string; ValueName: "XrayView.pt"; ValueData: ""; Flags: uninsdeletevalue; Tasks: model
Root: HKCU; Subkey: "Environment"; ValueType: expandsz; ValueName: "Path"; ValueData: "{olddata};{app}\bin"; Check: IsMissingInPath; Tasks: path

[Run]
Filename: "{app}\XrayView.exe"; Description: "Start XrayView"; Flags: nowait postinstall skipifsilent

[Code]
function UserPath(): String;
begin
  if not RegQueryStringValue(HKCU, 'Environment', 'Path', Result) then
    Result := '';
end;

function IsMissingInPath(): Boolean;
begin
  Result := Pos(';' + Uppercase(ExpandConstant('{app}\bin')) + ';', ';' + Uppercase(UserPath()) + ';') = 0;
end;

procedure CurUninstallStepChanged(Step: TUninstallStep);
var
  Path, Part: String;
begin
  if Step = usPostUninstall then
  begin
    Path := UserPath();
    Part := ';' + ExpandConstant('{app}\bin');
    if Pos(Uppercase(Part), Uppercase(Path)) > 0 then
    begin
      Delete(Path, Pos(Uppercase(Part), Uppercase(Path)), Length(Part));
      RegWriteExpandStringValue(HKCU, 'Environment', 'Path', Path);
    end;
  end;
end;
