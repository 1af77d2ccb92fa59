import{a,b}from"./chunk-KD6CQUTY.js";export{b as confirmDialog,a as showDialog};
