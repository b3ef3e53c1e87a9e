@"%~dp0..\xrayview-cli.exe" %*
