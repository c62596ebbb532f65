// Stands in for arduino-esp32's Wire.h, of which station.ino needs nothing itself.
#pragma once
